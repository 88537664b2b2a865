/* support_receiver: a place on this machine that takes POSTs, remembers their bodies and answers
 * what it is told to. */
#pragma once

#include <glib.h>

typedef struct Receiver Receiver;

Receiver *receiver_start(void);
void receiver_stop(Receiver *receiver);

/* "http://127.0.0.1:PORT/", borrowed. */
const char *receiver_url(const Receiver *receiver);
/* What the next posts are answered; status 0 hangs up without a word. */
void receiver_answer(Receiver *receiver, int status, const char *body);
/* Waits for that many posts in all. FALSE after ten seconds. */
gboolean receiver_wait(Receiver *receiver, guint posts);
guint receiver_count(Receiver *receiver);
/* Body, or head, of post `i`; owned. */
char *receiver_body(Receiver *receiver, guint i);
char *receiver_head(Receiver *receiver, guint i);
