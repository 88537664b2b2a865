/* files: the two attachments of the sample, made by code so that no binary is kept in the source.
 *
 * The chart is a palette PNG: four chunks, each length, type, data, CRC; the image data is one zlib
 * stream of rows that each begin with a filter byte. Contents go to FILE.db.files/ under the
 * SHA-256 of their bytes: written under a temporary name, synced, then renamed, so that a name
 * never stands for half a file. */
#include <errno.h>
#include <string.h>

#include <glib/gstdio.h>
#include <zlib.h>

#include "tracker/sample/sample_internal.h"

enum { WHITE, GRID, BAR, BAR_FULL, LINE, AXIS, COLOURS };

static const guint8 palette[COLOURS][3] = {{0xff, 0xff, 0xff}, {0xe2, 0xe6, 0xea},
                                           {0x2c, 0x7f, 0xb8}, {0xd9, 0x5f, 0x0e},
                                           {0x31, 0xa3, 0x54}, {0x40, 0x40, 0x40}};

#define MARGIN 30
#define DAYS 28

static void
append_u32(GByteArray *out, guint32 value)
{
    guint32 big_endian = GUINT32_TO_BE(value);
    (void)g_byte_array_append(out, (const guint8 *)&big_endian, sizeof big_endian);
}

static void
append_chunk(GByteArray *png, const char *type, const guint8 *data, guint bytes)
{
    append_u32(png, bytes);
    guint start = png->len;
    (void)g_byte_array_append(png, (const guint8 *)type, 4);
    if (bytes > 0) {
        (void)g_byte_array_append(png, data, bytes);
    }
    append_u32(png, (guint32)crc32(0, png->data + start, png->len - start));
}

static void
fill(guint8 *pixels, int left, int top, int right, int bottom, guint8 colour)
{
    for (int y = MAX(top, 0); y < MIN(bottom, SAMPLE_CHART_HEIGHT); y++) {
        for (int x = MAX(left, 0); x < MIN(right, SAMPLE_CHART_WIDTH); x++) {
            pixels[y * (SAMPLE_CHART_WIDTH + 1) + 1 + x] = colour;
        }
    }
}

/* Bookings of four weeks as bars, boarded passengers as a line; weekends are full. */
static void
draw_chart(guint8 *pixels)
{
    const int floor_y = SAMPLE_CHART_HEIGHT - MARGIN;
    const int step = (SAMPLE_CHART_WIDTH - 2 * MARGIN) / DAYS;
    for (int y = MARGIN; y < floor_y; y += 50) {
        fill(pixels, MARGIN, y, SAMPLE_CHART_WIDTH - MARGIN, y + 1, GRID);
    }
    int last_x = 0;
    int last_y = 0;
    for (int day = 0; day < DAYS; day++) {
        int weekend = day % 7 >= 4 ? 90 : 0;
        int booked = 110 + weekend + (day * 53) % 70;
        int boarded = booked - 8 - (day * 29) % 40;
        int x = MARGIN + day * step;
        fill(pixels, x + 3, floor_y - booked, x + step - 3, floor_y, booked > 230 ? BAR_FULL : BAR);
        int middle = x + step / 2;
        for (int at = last_x; day > 0 && at < middle; at++) {
            int y = last_y + (floor_y - boarded - last_y) * (at - last_x) / (middle - last_x);
            fill(pixels, at, y - 1, at + 1, y + 2, LINE);
        }
        last_x = middle;
        last_y = floor_y - boarded;
    }
    fill(pixels, MARGIN, MARGIN, MARGIN + 2, floor_y, AXIS);
    fill(pixels, MARGIN, floor_y, SAMPLE_CHART_WIDTH - MARGIN, floor_y + 2, AXIS);
}

static GByteArray *
chart_png(void)
{
    const gsize raw_bytes = (gsize)SAMPLE_CHART_HEIGHT * (SAMPLE_CHART_WIDTH + 1);
    g_autofree guint8 *pixels = g_malloc0(raw_bytes); /* filter 0 and white */
    draw_chart(pixels);
    uLongf packed_bytes = compressBound(raw_bytes);
    g_autofree guint8 *packed = g_malloc(packed_bytes);
    int rc = compress2(packed, &packed_bytes, pixels, raw_bytes, Z_BEST_COMPRESSION);
    g_assert(rc == Z_OK);

    static const guint8 signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    GByteArray *png = g_byte_array_new();
    (void)g_byte_array_append(png, signature, sizeof signature);
    g_autoptr(GByteArray) header = g_byte_array_new();
    append_u32(header, SAMPLE_CHART_WIDTH);
    append_u32(header, SAMPLE_CHART_HEIGHT);
    static const guint8 format[5] = {8 /* bits */, 3 /* palette */, 0, 0, 0};
    (void)g_byte_array_append(header, format, sizeof format);
    append_chunk(png, "IHDR", header->data, header->len);
    append_chunk(png, "PLTE", &palette[0][0], sizeof palette);
    append_chunk(png, "IDAT", packed, (guint)packed_bytes);
    append_chunk(png, "IEND", NULL, 0);
    return png;
}

/* A phone's log: scans, a network that goes away, the queue sent twice. */
static GByteArray *
scanner_log(const SampleTime *time)
{
    g_autoptr(GString) text = g_string_new("# scanner 4.2.1, phone vega-2, ramp aft\n");
    gint64 at_ms = sample_instant_ms(time, 403, 9 * 60 + 2);
    for (int scan = 1; scan <= 120; scan++) {
        at_ms += 2000 + (scan * 797) % 9000;
        g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(at_ms / 1000);
        g_autofree char *stamp = g_date_time_format(at, "%Y-%m-%dT%H:%M:%SZ");
        g_string_append_printf(text, "%s scan %04d ticket=%06x %s\n", stamp, scan,
                               (unsigned)(scan * 48271 % 0xffffff),
                               scan % 37 == 0 ? "refused reason=already-used" : "ok");
        if (scan == 40) {
            g_string_append_printf(text, "%s net lost, queueing\n", stamp);
        } else if (scan == 90) {
            g_string_append_printf(
                text, "%s net back, sending 50\n%s net timeout, sending 50 again\n", stamp, stamp);
        }
    }
    GByteArray *bytes = g_byte_array_new();
    return g_byte_array_append(bytes, (const guint8 *)text->str, (guint)text->len);
}

GByteArray *
sample_file(const char *name, const SampleTime *time)
{
    return g_str_has_suffix(name, ".png") ? chart_png() : scanner_log(time);
}
