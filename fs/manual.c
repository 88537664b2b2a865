/* The text says nothing that changes without a change at the server: no time, no counts. So its
 * size and time stay, and a second rsync has nothing to do. Names from the server are escaped for
 * Markdown. */
#include "fs/manual.h"

#include "fs/tree.h"

#include <string.h>

static const char body[] =
    "## Where things are\n"
    "\n"
    "| Path | What |\n"
    "|---|---|\n"
    "| `me.json` | the account that this mount uses |\n"
    "| `my/owned`, `requested`, `following`, `reviewing`, `blocked` | links to your stories |\n"
    "| `PROJECT/stories/ID-TITLE/` | a story: `story.json`, `description.md`, `comments/`, "
    "`tasks/`, `attachments/` |\n"
    "| `PROJECT/epics/ID-TITLE/` | an epic, with links to its stories |\n"
    "| `PROJECT/iterations/{done,current,backlog}/N/` | links in board order |\n"
    "| `PROJECT/icebox`, `releases`, `labels`, `by-state`, `by-type`, `by-owner`, `by-requester` "
    "| links |\n"
    "| `PROJECT/project.json`, `profile.md`, `members/`, `activity.jsonl` | the project itself |\n"
    "\n"
    "Not listed, but there when named: `.fields/ATTRIBUTE` (one line each), `.url` and\n"
    "`.activity.jsonl` in a story or epic, `.trackerfs/status.json` here.\n"
    "\n"
    "A number alone finds a thing: `cd PROJECT/stories/ID` works, and goes on working when the\n"
    "title changes.\n"
    "\n"
    "## Try\n"
    "\n"
    "    grep -ri \"some words\" PROJECT/stories      # every text is in exactly one file\n"
    "    ls PROJECT/by-state/started\n"
    "    find PROJECT/stories -name '*.md' -newermt '7 days ago'\n"
    "    rsync -a ./ ~/backup/                      # the second run copies only what changed\n"
    "    getfattr -d PROJECT/stories/ID/story.json  # id, kind, url, author, version\n"
    "\n"
    "Sizes are exact, times are the server's.\n"
    "\n"
    "## Edit (unless mounted with -o ro)\n"
    "\n"
    "Any editor, in PROJECT/stories/ID. A save is one change at the server; if it is refused,\n"
    "closing the file fails and `.error` beside it says why. (A shell's `>` does not tell, but "
    "for\n"
    "`.fields`: look there, or use cp or tee. trackerfs(1) has more.)\n"
    "\n"
    "    $EDITOR description.md                     # also story.json, comments/, tasks/\n"
    "    echo started > .fields/current_state       # .next_states has the possible ones\n"
    "    mkdir PROJECT/stories/\"A new story\"       # epics/ likewise\n"
    "    echo 'I agree' > comments/new.md           # tasks/ likewise: - [ ] to do\n"
    "    cp shot.png attachments/\n"
    "    mv PROJECT/by-state/unstarted/ID-* PROJECT/by-state/started/\n"
    "    ln -s ../../stories/ID-* PROJECT/labels/LABEL/\n"
    "    mv PROJECT/icebox/012-ID-* PROJECT/icebox/1-ID    # to the top\n"
    "\n"
    "A change that meets somebody else's is merged, or refused with both sides in `.conflict/`:\n"
    "save again to put yours in its place, or `rm -r .conflict` to keep the server's. Without a\n"
    "server changes wait in `.trackerfs/queue/` (`trackerfs queue MOUNT`). Nothing is\n"
    "removed from the server unless mounted with -o delete, which first copies to a local trash.\n";

static void
append_escaped(GString *text, const char *name)
{
    for (const char *at = name ? name : ""; *at; at++) {
        if ((guchar)*at < 0x20 || *at == 0x7f) {
            g_string_append_c(text, ' ');
            continue;
        }
        if (strchr("\\`*_[]<>|#", *at)) {
            g_string_append_c(text, '\\');
        }
        g_string_append_c(text, *at);
    }
}

Content
manual_render(const Account *account, gboolean id_names)
{
    GString *text = g_string_new("# A tracker as folders\n\n## Projects\n\n");
    for (guint i = 0; i < account->n_projects; i++) {
        const ProjectName *project = &account->projects[i];
        g_autofree char *folder = tree_item_name(project->id, project->name, id_names);
        g_string_append_printf(text, "- `%s/`: ", folder);
        append_escaped(text, project->name);
        g_string_append_c(text, '\n');
    }
    if (account->n_projects == 0) {
        g_string_append(text, "None: the account has no project, or none was selected.\n");
    }
    g_string_append_c(text, '\n');
    g_string_append(text, body);
    const gsize length = text->len;
    return content_take(g_string_free(text, FALSE), length);
}

gint64
manual_changed_ms(const Account *account)
{
    gint64 changed_ms = account->updated_ms;
    for (guint i = 0; i < account->n_projects; i++) {
        const ProjectName *project = &account->projects[i];
        changed_ms = MAX(changed_ms, MAX(project->updated_ms, project->created_ms));
    }
    return changed_ms;
}
