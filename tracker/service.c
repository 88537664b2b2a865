#include "tracker/service.h"
G_DEFINE_QUARK(tracker-error-quark, tracker_error)
