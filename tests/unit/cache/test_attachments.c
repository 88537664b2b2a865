/* Attachments on disk: who asks for one that is on its way, or has just come, costs no second
 * download. */
#include "cache/attachments.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* A transport whose answers the test gives. */
typedef struct Wire {
    Transport transport;
    guint sent;
    HttpRequest *request; /* the last, owned */
    TransportDoneFn done;
    gpointer user;
} Wire;

static void
wire_send(Transport *transport, HttpRequest *request, TransportDoneFn done, gpointer user)
{
    Wire *wire = (Wire *)transport;
    g_clear_pointer(&wire->request, http_request_free);
    wire->sent++;
    wire->request = request;
    wire->done = done;
    wire->user = user;
}

static void
wire_answer(Wire *wire, const char *body)
{
    HttpResponse *response = g_new0(HttpResponse, 1);
    response->status = 200;
    g_assert_cmpint(write(wire->request->out_fd, body, strlen(body)), ==, (gssize)strlen(body));
    wire->done(response, NULL, wire->user);
}

static void
count(gint64 id, const GError *error, gpointer user)
{
    guint *answers = user;
    g_assert_cmpint(id, ==, 7);
    g_assert_no_error(error);
    ++*answers;
}

static void
test_one_download(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *directory = g_dir_make_tmp("attachments-XXXXXX", &error);
    g_assert_no_error(error);
    Attachments *attachments = attachments_open(directory, 1000, &error);
    g_assert_no_error(error);
    Wire wire = {.transport.send = wire_send};
    char url[] = "/resource/7";
    const Attachment attachment = {.id = 7, .size_bytes = 5, .download_url = url};
    guint answers = 0;
    g_assert_cmpint(attachments_open_file(attachments, &attachment), ==, -1);
    attachments_fetch(attachments, &wire.transport, &attachment, 0, count, &answers);
    attachments_fetch(attachments, &wire.transport, &attachment, 0, count, &answers);
    g_assert_cmpuint(wire.sent, ==, 1);
    g_assert_cmpuint(answers, ==, 0);
    /* Slow as it may be, a small one is not given up the moment its reader is. */
    g_assert_cmpint(wire.request->grace_ms, >=, 5000);
    wire_answer(&wire, "bytes");
    g_assert_cmpuint(answers, ==, 2);

    /* A reader who found nothing before the answer, and asks after it. */
    attachments_fetch(attachments, &wire.transport, &attachment, 0, count, &answers);
    g_assert_cmpuint(answers, ==, 3);
    g_assert_cmpuint(wire.sent, ==, 1);
    const int fd = attachments_open_file(attachments, &attachment);
    g_assert_cmpint(fd, >=, 0);
    (void)close(fd);

    /* Damaged: it is looked for, not found, and fetched again. */
    g_autofree char *path = g_build_filename(directory, "7", NULL);
    g_assert_true(g_file_set_contents(path, "x", 1, NULL));
    g_assert_cmpint(attachments_open_file(attachments, &attachment), ==, -1);
    attachments_fetch(attachments, &wire.transport, &attachment, 0, count, &answers);
    g_assert_cmpuint(wire.sent, ==, 2);
    wire_answer(&wire, "again");
    g_assert_cmpuint(answers, ==, 4);

    http_request_free(wire.request);
    attachments_close(attachments);
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(directory), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/attachments/one-download", test_one_download);
    return g_test_run();
}
