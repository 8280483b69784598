/* Bars: when a span ran, when it was told to stop, and how long it went on after that. */
#include "exporters/draw.h"

enum { EIGHTHS = 8 };

/* ---- where an instant lies ---- */

static double place(const struct wh__drawing *drawing, uint64_t instant)
{
    const struct wh__tree *tree = drawing->tree;
    if (tree->end == tree->start) return 0;
    return (double)(instant - tree->start) / (double)(tree->end - tree->start) * drawing->time;
}

static unsigned cell(const struct wh__drawing *drawing, uint64_t instant)
{
    return (unsigned)place(drawing, instant);
}

/* ---- what runs ---- */

/* The part of one cell that is covered, in eighths from its left: there are signs for parts that begin on the left,
 * and few for others. */
static const char *part(unsigned from, unsigned to)
{
    static const char *const left[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
    if (from >= to) return " ";
    if (from == 0) return left[to];
    if (to == EIGHTHS) return from <= 2 ? "█" : from <= 6 ? "▐" : "▕";
    if (to - from >= 3) return from + to <= EIGHTHS ? "▌" : "▐";
    return from + to <= EIGHTHS ? "▏" : "▕";
}

static unsigned within(unsigned long eighths, unsigned column)
{
    const unsigned long start = (unsigned long)column * EIGHTHS;
    return eighths <= start ? 0 : eighths >= start + EIGHTHS ? EIGHTHS : (unsigned)(eighths - start);
}

/* Something of every span is seen, however short. */
static void draw_run(struct wh__drawing *drawing, double from, double to, unsigned columns)
{
    const unsigned long start = (unsigned long)(from * EIGHTHS + .5);
    unsigned long end = (unsigned long)(to * EIGHTHS + .5);
    if (end <= start) end = start + 1;
    for (unsigned column = 0; column < columns && (unsigned long)column * EIGHTHS < end; column++) {
        const unsigned a = within(start, column), b = within(end, column);
        const bool most = b > a && (b - a >= EIGHTHS / 2 || end - start < EIGHTHS);
        wh__sheet_put(drawing->sheet, part(a, b), most ? "#" : " ");
    }
}

/* ---- what was told to stop ---- */

/* Whole cells: the mark stands where the cancel came, in the same column for all whom it reached. */
static void draw_cancelled(struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    struct wh__sheet *sheet = drawing->sheet;
    const unsigned mark = cell(drawing, span->cancelled_at), after = (unsigned)(place(drawing, span->end) + .5);
    const bool went_on = wh__overrun(span) >= WH__AT_ONCE;
    for (unsigned column = cell(drawing, span->start); column < mark; column++) wh__sheet_put(sheet, "█", "#");
    wh__sheet_ink(sheet, WH__AMBER);
    wh__sheet_put(sheet, "┃", "|");
    for (unsigned column = mark + 1; went_on && (column < after || column == mark + 1); column++)
        wh__sheet_put(sheet, "▒", ":");
}

void wh__draw_bar(struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    struct wh__sheet *sheet = drawing->sheet;
    wh__sheet_pad(sheet, drawing->left);
    wh__sheet_ink(sheet, wh__state_ink(span, WH__BLUE));
    if (span->cancelled) {
        wh__sheet_pad(sheet, drawing->left + cell(drawing, span->start));
        draw_cancelled(drawing, span);
    } else {
        draw_run(drawing, place(drawing, span->start), place(drawing, span->end), drawing->time + 1);
    }
    wh__sheet_ink(sheet, WH__PLAIN);
}

/* ---- the ruler ---- */

static const struct wh__tree_span *first_cancelled(const struct wh__tree *tree)
{
    const struct wh__tree_span *first = NULL;
    for (size_t i = 0; i < tree->count; i++) {
        const struct wh__tree_span *span = tree->spans[i];
        if (span->cancelled && (!first || span->cancelled_at < first->cancelled_at)) first = span;
    }
    return first;
}

/* Beside the mark, on the side that has room; or not at all. */
static void draw_mark(struct wh__drawing *drawing, const struct wh__tree_span *span, unsigned end)
{
    char text[WH__DURATION_SIZE];
    struct wh__sheet *sheet = drawing->sheet;
    const unsigned mark = drawing->left + cell(drawing, span->cancelled_at);
    const unsigned width = (unsigned)wh__say_duration(text, span->cancelled_at - drawing->tree->start);
    const bool right = mark + width + 4 <= end, left = !right && mark >= drawing->left + width + 4;
    if (!right && !left) return;
    wh__sheet_pad(sheet, left ? mark - width - 1 : mark);
    wh__sheet_ink(sheet, WH__AMBER);
    if (left) wh__sheet_put(sheet, text, text);
    wh__sheet_put(sheet, left ? " ┃" : "┃ ", left ? " |" : "| ");
    if (right) wh__sheet_put(sheet, text, text);
    wh__sheet_ink(sheet, WH__DIM);
}

/* The end is in the header as well: it gives way to the mark. */
void wh__draw_ruler(struct wh__drawing *drawing)
{
    char text[WH__DURATION_SIZE];
    struct wh__sheet *sheet = drawing->sheet;
    const struct wh__tree_span *cancelled = first_cancelled(drawing->tree);
    const unsigned width = (unsigned)wh__say_duration(text, drawing->tree->end - drawing->tree->start);
    const unsigned end = drawing->left + drawing->time - width;
    wh__sheet_ink(sheet, WH__DIM);
    wh__sheet_pad(sheet, drawing->left);
    if (!cancelled || cell(drawing, cancelled->cancelled_at) > 1) wh__sheet_put(sheet, "0", "0");
    if (cancelled) draw_mark(drawing, cancelled, end);
    if (sheet->column < end) {
        wh__sheet_pad(sheet, end);
        wh__sheet_put(sheet, text, text);
    }
    wh__sheet_line(sheet);
}
