/* support_error: what an error has to say to the user. */
#pragma once

#include <glib.h>

/* Fails the test, showing the message, unless `error` is of the domain and contains `words`. */
void error_says(const GError *error, GQuark domain, const char *words);
