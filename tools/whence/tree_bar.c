/* Bars over time: when a span ran, when it was told to stop, how long it went on after that, and when its budget was over. */
#include "tree.h"

#include <stdio.h>

enum { EIGHTHS = 8, MILLISECOND = 1000000 };

static double place(const struct drawing *drawing, uint64_t instant)
{
    const struct trace *trace = drawing->trace;
    if (instant <= trace->start) return 0;
    if (instant >= trace->end) return drawing->time;
    return (double)(instant - trace->start) / (double)(trace->end - trace->start) * drawing->time;
}

static unsigned cell(const struct drawing *drawing, uint64_t instant)
{
    const unsigned column = (unsigned)place(drawing, instant);
    return column < drawing->time ? column : drawing->time - 1;
}

/* Where the deadline that held for a span lies, if it is within the time that is drawn. */
static bool budget_cell(const struct drawing *drawing, const struct span *span, unsigned *column)
{
    if (!span->facts || span->facts->budget == UNTOLD || span->facts->budget < 0) return false;
    const uint64_t budget = (uint64_t)span->facts->budget;
    if (span->start > drawing->trace->end || budget > drawing->trace->end - span->start) return false;
    *column = cell(drawing, span->start + budget);
    return true;
}

/* What is in one column: '#' full, 1 to 7 for so many eighths from the left, '|' the cancel, ':' after it, '!' the deadline. */
static char sign_at(const struct drawing *drawing, const struct span *span, unsigned column)
{
    const unsigned from = cell(drawing, span->start);
    const double end = place(drawing, span->end);
    if (column < from) return ' ';
    if (was_cancelled(span)) {
        const unsigned mark = cell(drawing, span->facts->cancelled_at);
        const bool went_on = overrun_of(span) >= MILLISECOND;
        if (column < mark) return '#';
        if (column == mark) return '|';
        return went_on && (column < (unsigned)(end + .5) || column == mark + 1) ? ':' : ' ';
    }
    const double part = (end - column) * EIGHTHS;
    if (part >= EIGHTHS - .5) return '#';
    if (column == from && part < 1) return 1;
    return part < .5 ? ' ' : (char)(part + .5);
}

static void put_sign(const struct drawing *drawing, const struct span *span, char sign)
{
    static const char *const parts[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    struct wh__sheet *sheet = drawing->sheet;
    wh__sheet_ink(sheet, sign == '|' || sign == ':' ? WH__AMBER : sign == '!' ? WH__PLAIN : ink_of(span, WH__BLUE));
    if (sign == '#') wh__sheet_put(sheet, "█", "#");
    else if (sign == '|') wh__sheet_put(sheet, "┃", "|");
    else if (sign == ':') wh__sheet_put(sheet, "▒", ":");
    else if (sign == '!') wh__sheet_put(sheet, "╎", "!");
    else if (sign == ' ') wh__sheet_put(sheet, " ", " ");
    else wh__sheet_put(sheet, parts[(int)sign], sign >= EIGHTHS / 2 || cell(drawing, span->start) == cell(drawing, span->end) ? "#" : " ");
}

/* The cancel is what matters where it falls on the deadline. */
void draw_bar(const struct drawing *drawing, const struct span *span)
{
    unsigned budget = 0, last = cell(drawing, span->end) + 2;
    const bool has_budget = budget_cell(drawing, span, &budget);
    if (has_budget && budget >= last) last = budget + 1;
    wh__sheet_pad(drawing->sheet, drawing->left);
    for (unsigned column = 0; column < drawing->time && column < last; column++) {
        const char sign = sign_at(drawing, span, column);
        put_sign(drawing, span, has_budget && column == budget && sign != '|' ? '!' : sign);
    }
    wh__sheet_ink(drawing->sheet, WH__PLAIN);
}

/* ---- the ruler ---- */

/* The first cancel of the trace, with its time, on the side that has room. */
static void draw_mark(const struct drawing *drawing, uint64_t instant, unsigned end)
{
    char text[WH__DURATION_SIZE + 8], word[WH__DURATION_SIZE];
    struct wh__sheet *sheet = drawing->sheet;
    const unsigned mark = drawing->left + cell(drawing, instant);
    const unsigned width = (unsigned)wh__duration_text(word, (int64_t)(instant - drawing->trace->start));
    const bool right = mark + width + 4 <= end, left = !right && mark >= drawing->left + width + 4;
    if (!right && !left) return;
    wh__sheet_pad(sheet, left ? mark - width - 1 : mark);
    wh__sheet_ink(sheet, WH__AMBER);
    snprintf(text, sizeof text, left ? "%s " : " %s", word);
    if (left) wh__sheet_put(sheet, text, text);
    wh__sheet_put(sheet, "┃", "|");
    if (right) wh__sheet_put(sheet, text, text);
    wh__sheet_ink(sheet, WH__DIM);
}

static bool first_cancel(const struct trace *trace, uint64_t *instant)
{
    bool any = false;
    for (size_t i = 0; i < trace->count; i++) {
        const struct span *span = trace->spans[i];
        if (!was_cancelled(span) || (any && span->facts->cancelled_at >= *instant)) continue;
        *instant = span->facts->cancelled_at;
        any = true;
    }
    return any;
}

void draw_ruler(const struct drawing *drawing)
{
    char text[WH__DURATION_SIZE];
    uint64_t instant = 0;
    struct wh__sheet *sheet = drawing->sheet;
    const uint64_t whole = drawing->trace->end - drawing->trace->start;
    const bool cancelled = first_cancel(drawing->trace, &instant);
    const unsigned width = (unsigned)wh__duration_text(text, whole < INT64_MAX ? (int64_t)whole : INT64_MAX - 1);
    const unsigned right = drawing->left + drawing->time, end = right > drawing->left + width ? right - width : drawing->left;
    wh__sheet_ink(sheet, WH__DIM);
    wh__sheet_pad(sheet, drawing->left);
    if (!cancelled || cell(drawing, instant) > 1) wh__sheet_put(sheet, "0", "0");
    if (cancelled) draw_mark(drawing, instant, end);
    if (sheet->column < end) {
        wh__sheet_pad(sheet, end);
        wh__sheet_put(sheet, text, text);
    }
    wh__sheet_line(sheet);
}
