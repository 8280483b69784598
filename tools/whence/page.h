/* The page that shows traces, in three pieces: the title goes between the first two, the data between the last two. The build
 * makes them of the files in page/. */
#ifndef TOOLS_WHENCE_PAGE_H
#define TOOLS_WHENCE_PAGE_H

#include <stddef.h>

extern const unsigned char page_before_title[], page_before_data[], page_behind[];
extern const size_t page_before_title_len, page_before_data_len, page_behind_len;

#endif
