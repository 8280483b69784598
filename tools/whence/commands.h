/* The commands of the program. Each returns its exit status: FOUND, NOTHING or TROUBLE. */
#ifndef TOOLS_WHENCE_COMMANDS_H
#define TOOLS_WHENCE_COMMANDS_H

#include "options.h"

int command_tree(const struct options *options, const struct model *model);
int command_why(const struct options *options, const struct model *model);
int command_top(const struct options *options, const struct model *model);
int command_html(const struct options *options, const struct model *model);

#endif
