/* search_parse: the search language (v5-reference 2.15) from text to a tree.
 *
 * Knows no database and no time: values stay the texts that were written. A keyword nobody knows is
 * no keyword, its term is plain text ("http://..."). Threads: any; no state. Errors:
 * TRACKER_ERROR_BAD_INPUT, its message is the general_problem of the 400. Limits: SEARCH_MAX_*. */
#pragma once

#include <glib.h>

#define SEARCH_MAX_BYTES 16384
#define SEARCH_MAX_TERMS 200      /* ids do not count */
#define SEARCH_MAX_PARENTHESES 50 /* inside each other */
#define SEARCH_MAX_DEPTH 12       /* of the tree, where a chain of one operator is one level */
#define SEARCH_MAX_IDS 1000

typedef enum {
    SEARCH_TEXT, /* no keyword */
    SEARCH_NAME,
    SEARCH_LABEL,
    SEARCH_EPIC,
    SEARCH_TYPE,
    SEARCH_STATE,
    SEARCH_ESTIMATE,
    SEARCH_PRIORITY,
    SEARCH_OWNER,
    SEARCH_REQUESTER,
    SEARCH_MYWORK,
    SEARCH_REVIEWER,
    SEARCH_REVIEW,
    SEARCH_REVIEW_STATUS,
    SEARCH_IS,
    SEARCH_HAS,
    SEARCH_ID,
    SEARCH_EXTERNAL_ID,
    SEARCH_INTEGRATION,
    SEARCH_CREATED, /* each three: in the range, from its start, before its start */
    SEARCH_CREATED_SINCE,
    SEARCH_CREATED_BEFORE,
    SEARCH_UPDATED,
    SEARCH_UPDATED_SINCE,
    SEARCH_UPDATED_BEFORE,
    SEARCH_ACCEPTED,
    SEARCH_ACCEPTED_SINCE,
    SEARCH_ACCEPTED_BEFORE,
} SearchKeyword;

gboolean search_keyword_is_date(SearchKeyword keyword);

typedef enum {
    SEARCH_BARE,   /* "*" and "?" are wildcards */
    SEARCH_QUOTED, /* literal */
    SEARCH_REGEX,
} SearchForm;

typedef struct SearchValue {
    char *text;
    SearchForm form;
} SearchValue;

typedef enum { SEARCH_NODE_TERM, SEARCH_NODE_NOT, SEARCH_NODE_AND, SEARCH_NODE_OR } SearchNodeType;

typedef struct SearchNode SearchNode;
struct SearchNode {
    SearchNodeType type;
    SearchNode *left, *right; /* NOT has only a left one */
    SearchKeyword keyword;    /* of a term */
    GArray *values;           /* of SearchValue: alternatives, at least one */
};

typedef struct Search {
    SearchNode *root;      /* NULL: everything */
    gboolean include_done; /* includedone:true */
} Search;

Search *search_parse(const char *text, GError **error);
void search_free(Search *search);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Search, search_free)
