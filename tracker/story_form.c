/* The selection written out, in the order in which it is written into answers, and what else of the
 * request is seen in them. */
#include "tracker/story_form.h"

/* Those whose rows raise the numbers of stories (tracker/schema_shown.h). */
static const Kind *const numbered[] = {
    &kind_story,   &kind_person,      &kind_label,           &kind_task,
    &kind_comment, &kind_blocker,     &kind_file_attachment, &kind_google_attachment,
    &kind_review,  &kind_review_type, &kind_transition,      &kind_pull_request,
    &kind_branch,
};

static gboolean
is_numbered(const Kind *kind)
{
    for (gsize i = 0; i < G_N_ELEMENTS(numbered); i++) {
        if (numbered[i] == kind) {
            return TRUE;
        }
    }
    return FALSE;
}

/* FALSE: it has no form. */
static gboolean
write_selection(const Selection *selection, GString *out)
{
    if (!is_numbered(selection->kind)) {
        return FALSE;
    }
    for (guint i = 0; i < selection->picked->len; i++) {
        const Picked *picked = &g_array_index(selection->picked, Picked, i);
        const Field *field = picked->field;

        if ((field->flags & FIELD_FLEETING) || field->type == FIELD_TOKEN ||
            field->type == FIELD_ZONE) {
            return FALSE;
        }
        g_string_append(out, field->name);
        if (picked->child) {
            g_string_append_c(out, '(');
            if (!write_selection(picked->child, out)) {
                return FALSE;
            }
            g_string_append_c(out, ')');
        }
        g_string_append_c(out, ',');
    }
    g_string_append(out, selection->extra ? "*" : "");
    for (guint i = 0; i < selection->historic->len; i++) {
        g_string_append_c(out, '+');
        g_string_append(out, g_ptr_array_index(selection->historic, i));
    }
    return TRUE;
}

char *
story_form(const Render *render, const Selection *selection)
{
    g_autoptr(GString) out = g_string_new(NULL);

    g_string_append(out, render->millis ? "millis " : "iso ");
    g_string_append(out, render->hide_emails ? "nobody " : "somebody ");
    return write_selection(selection, out) ? g_strdup(out->str) : NULL;
}
