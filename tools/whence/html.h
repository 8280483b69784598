/* The page that shows traces: three pieces, the title between the first two, the data between the last two. The build makes the
 * pieces of the files in page/. */
#ifndef TOOLS_WHENCE_HTML_H
#define TOOLS_WHENCE_HTML_H

#include <stddef.h>
#include <stdio.h>

#include "model.h"

extern const unsigned char page_before_title[], page_before_data[], page_behind[];
extern const size_t page_before_title_len, page_before_data_len, page_behind_len;

/* What goes into its script element: JSON in which nothing can end that. */
void write_data(FILE *out, struct trace **traces, size_t count);

#endif
