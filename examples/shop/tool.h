/* The program whence, which reads what was exported. */
#ifndef TOOL_H
#define TOOL_H

/* Has it say why the last trace of the file ended as it did. Nothing happens where it was not built. */
void tool_say_why(const char *file);

#endif
