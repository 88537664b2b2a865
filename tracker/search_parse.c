/* A recursive descent over
 *     expression = item *(["AND" / "OR"] item)          left to right, no precedence
 *     item       = "-" item / "(" expression ")" / term
 *     term       = [keyword ":"] value *("," value)     a list only behind a keyword
 *     value      = quoted / "/" regex "/" / word
 * `no:x` becomes `-has:x`, and includedone sets a flag of the whole search wherever it stands.
 * Where the reference is silent (unsure) a text that cannot be meant is refused, not guessed at. */
#include "tracker/search_parse.h"

#include <string.h>

#include "tracker/service.h"

typedef struct Parser {
    const char *at;
    int depth;
    guint terms;
    gboolean include_done;
    GError **error;
} Parser;

/* Beside the keywords of the tree. */
enum { KEYWORD_NO = -1, KEYWORD_INCLUDEDONE = -2 };

static const struct {
    const char *name;
    int keyword;
} keywords[] = {
    {"name", SEARCH_NAME},
    {"label", SEARCH_LABEL},
    {"labels", SEARCH_LABEL},
    {"epic", SEARCH_EPIC},
    {"epics", SEARCH_EPIC},
    {"type", SEARCH_TYPE},
    {"state", SEARCH_STATE},
    {"estimate", SEARCH_ESTIMATE},
    {"priority", SEARCH_PRIORITY},
    {"owner", SEARCH_OWNER},
    {"owned_by", SEARCH_OWNER},
    {"requester", SEARCH_REQUESTER},
    {"requested_by", SEARCH_REQUESTER},
    {"mywork", SEARCH_MYWORK},
    {"reviewer", SEARCH_REVIEWER},
    {"review", SEARCH_REVIEW},
    {"review_status", SEARCH_REVIEW_STATUS},
    {"is", SEARCH_IS},
    {"has", SEARCH_HAS},
    {"no", KEYWORD_NO},
    {"id", SEARCH_ID},
    {"external_id", SEARCH_EXTERNAL_ID},
    {"integration", SEARCH_INTEGRATION},
    {"created", SEARCH_CREATED},
    {"created_on", SEARCH_CREATED},
    {"created_since", SEARCH_CREATED_SINCE},
    {"created_after", SEARCH_CREATED_SINCE},
    {"created_before", SEARCH_CREATED_BEFORE},
    {"updated", SEARCH_UPDATED},
    {"updated_on", SEARCH_UPDATED},
    {"updated_since", SEARCH_UPDATED_SINCE},
    {"updated_after", SEARCH_UPDATED_SINCE},
    {"modified_since", SEARCH_UPDATED_SINCE},
    {"updated_before", SEARCH_UPDATED_BEFORE},
    {"accepted", SEARCH_ACCEPTED},
    {"accepted_on", SEARCH_ACCEPTED},
    {"accepted_since", SEARCH_ACCEPTED_SINCE},
    {"accepted_after", SEARCH_ACCEPTED_SINCE},
    {"accepted_before", SEARCH_ACCEPTED_BEFORE},
    {"includedone", KEYWORD_INCLUDEDONE},
};

gboolean
search_keyword_is_date(SearchKeyword keyword)
{
    return keyword >= SEARCH_CREATED && keyword <= SEARCH_ACCEPTED_BEFORE;
}

static void
value_clear(gpointer data)
{
    g_free(((SearchValue *)data)->text);
}

static void
node_free(SearchNode *node)
{
    if (!node) {
        return;
    }
    node_free(node->left);
    node_free(node->right);
    g_clear_pointer(&node->values, g_array_unref);
    g_free(node);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SearchNode, node_free)

void
search_free(Search *search)
{
    if (search) {
        node_free(search->root);
        g_free(search);
    }
}

static gpointer
refuse(Parser *parser, const char *format, const char *detail)
{
    g_auto(GStrv) parts = g_strsplit(format, "%s", 2);
    g_autofree char *message = g_strjoinv(detail, parts);

    g_set_error_literal(parser->error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT, message);
    return NULL;
}

static gboolean
is_end(char c)
{
    return c == '\0' || c == '(' || c == ')' || g_ascii_isspace(c);
}

static void
skip_space(Parser *parser)
{
    while (g_ascii_isspace(*parser->at)) {
        parser->at++;
    }
}

static SearchNode *
node_new(SearchNodeType type, SearchNode *left, SearchNode *right)
{
    SearchNode *node = g_new0(SearchNode, 1);

    node->type = type;
    node->left = left;
    node->right = right;
    return node;
}

/* The word that stands alone at the parser's place: AND, OR. */
static gboolean
take_word(Parser *parser, const char *word)
{
    gsize bytes = strlen(word);

    if (strncmp(parser->at, word, bytes) != 0 || !is_end(parser->at[bytes])) {
        return FALSE;
    }
    parser->at += bytes;
    return TRUE;
}

/* "..." with \" and \\ inside. */
static gboolean
take_quoted(Parser *parser, SearchValue *ret_value)
{
    GString *text = g_string_new(NULL);
    const char *at = parser->at + 1;

    for (; *at && *at != '"'; at++) {
        if (*at == '\\' && (at[1] == '"' || at[1] == '\\')) {
            at++;
        }
        g_string_append_c(text, *at);
    }
    *ret_value = (SearchValue){g_string_free(text, FALSE), SEARCH_QUOTED};
    if (!*at) {
        g_clear_pointer(&ret_value->text, g_free);
        (void)refuse(parser, "The search text has a quotation mark without its partner.", NULL);
        return FALSE;
    }
    parser->at = at + 1;
    return TRUE;
}

/* The end of a regular expression that begins at `at` ("/"): a slash at the end of a value; NULL:
 * it is none, just a word with slashes. */
static const char *
regex_end(const char *at, gboolean listed)
{
    for (at++; *at; at++) {
        if (*at == '\\' && at[1]) {
            at++;
        } else if (*at == '/' && (is_end(at[1]) || (listed && at[1] == ','))) {
            return at;
        }
    }
    return NULL;
}

static gboolean
take_value(Parser *parser, gboolean listed, SearchValue *ret_value)
{
    const char *start = parser->at, *end = start;

    if (*start == '"') {
        return take_quoted(parser, ret_value);
    }
    if (*start == '/') {
        end = regex_end(start, listed);
        if (end && end > start + 1) {
            *ret_value =
                (SearchValue){g_strndup(start + 1, (gsize)(end - start - 1)), SEARCH_REGEX};
            parser->at = end + 1;
            return TRUE;
        }
        end = start;
    }
    while (!is_end(*end) && *end != '"' && !(listed && *end == ',')) {
        end++;
    }
    *ret_value = (SearchValue){g_strndup(start, (gsize)(end - start)), SEARCH_BARE};
    parser->at = end;
    return TRUE;
}

/* TRUE and the place behind the colon when a keyword begins here. */
static gboolean
find_keyword(const char *at, int *ret_keyword, const char **ret_behind)
{
    gsize bytes = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");

    if (bytes == 0 || at[bytes] != ':') {
        return FALSE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(keywords); i++) {
        if (strlen(keywords[i].name) == bytes &&
            g_ascii_strncasecmp(keywords[i].name, at, bytes) == 0) {
            *ret_keyword = keywords[i].keyword;
            *ret_behind = at + bytes + 1;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
count_terms(Parser *parser, guint terms)
{
    parser->terms += terms;
    if (parser->terms > SEARCH_MAX_TERMS) {
        (void)refuse(parser, "The search text has too many terms.", NULL);
        return FALSE;
    }
    return TRUE;
}

static gboolean
take_list(Parser *parser, GArray *values)
{
    for (;;) {
        SearchValue value;

        if (!take_value(parser, TRUE, &value)) {
            return FALSE;
        }
        g_array_append_val(values, value);
        if (*parser->at != ',') {
            return TRUE;
        }
        parser->at++;
    }
}

/* An empty word, as in "label: x", "state:started,": only "" means nothing at all. */
static gboolean
check_list(Parser *parser, const GArray *values, const char *name)
{
    for (guint i = 0; i < values->len; i++) {
        const SearchValue *value = &g_array_index(values, SearchValue, i);

        if (value->form == SEARCH_BARE && *value->text == '\0') {
            (void)refuse(parser, "A value must follow '%s' directly, without a space.", name);
            return FALSE;
        }
    }
    return TRUE;
}

static SearchNode *
take_keyword(Parser *parser, int keyword)
{
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(SearchValue));
    g_autofree char *name = NULL;
    const char *start = parser->at;
    SearchNode *node;
    int ignored;

    g_array_set_clear_func(values, value_clear);
    (void)find_keyword(start, &ignored, &parser->at);
    name = g_strndup(start, (gsize)(parser->at - start));
    if (!take_list(parser, values) || !check_list(parser, values, name)) {
        return NULL;
    }
    if (keyword == SEARCH_ID || keyword == SEARCH_EXTERNAL_ID) {
        if (values->len > SEARCH_MAX_IDS) {
            return refuse(parser, "The search text has too many ids.", NULL);
        }
    } else if (!count_terms(parser, values->len - 1)) {
        return NULL;
    }
    node = node_new(SEARCH_NODE_TERM, NULL, NULL);
    node->keyword = keyword == KEYWORD_NO ? SEARCH_HAS : (SearchKeyword)MAX(keyword, 0);
    node->values = g_steal_pointer(&values);
    return keyword == KEYWORD_NO ? node_new(SEARCH_NODE_NOT, node, NULL) : node;
}

static gboolean
take_includedone(Parser *parser, const char *behind, gboolean negated)
{
    SearchValue value;
    gboolean is_true;

    parser->at = behind;
    if (!take_value(parser, FALSE, &value)) {
        return FALSE;
    }
    is_true = g_ascii_strcasecmp(value.text, "true") == 0;
    if (!is_true && g_ascii_strcasecmp(value.text, "false") != 0) {
        g_free(value.text);
        (void)refuse(parser, "'includedone' must be one of: true, false", NULL);
        return FALSE;
    }
    g_free(value.text);
    parser->include_done = is_true && !negated;
    return TRUE;
}

static SearchNode *take_expression(Parser *parser);

static SearchNode *
take_group(Parser *parser)
{
    SearchNode *inside;

    if (++parser->depth > SEARCH_MAX_PARENTHESES) {
        return refuse(parser, "The search text has too many parentheses inside each other.", NULL);
    }
    parser->at++;
    inside = take_expression(parser);
    if (*parser->error) {
        node_free(inside);
        return NULL;
    }
    if (*parser->at != ')') {
        node_free(inside);
        return refuse(parser, "The search text lacks a closing parenthesis.", NULL);
    }
    parser->at++;
    parser->depth--;
    return inside;
}

/* One item; NULL without an error: it says nothing (includedone, "()", a lone "-"). */
static SearchNode *
take_item(Parser *parser)
{
    gboolean negated = FALSE;
    g_autoptr(SearchNode) node = NULL;
    const char *behind;
    int keyword;

    while (*parser->at == '-') {
        negated = !negated;
        parser->at++;
    }
    if (*parser->at == '(') {
        node = take_group(parser);
    } else if (is_end(*parser->at)) {
        return NULL;
    } else if (!count_terms(parser, 1)) {
        return NULL;
    } else if (find_keyword(parser->at, &keyword, &behind)) {
        if (keyword == KEYWORD_INCLUDEDONE) {
            (void)take_includedone(parser, behind, negated);
            return NULL;
        }
        node = take_keyword(parser, keyword);
    } else {
        SearchValue value;

        if (!take_value(parser, FALSE, &value)) {
            return NULL;
        }
        node = node_new(SEARCH_NODE_TERM, NULL, NULL);
        node->values = g_array_new(FALSE, FALSE, sizeof(SearchValue));
        g_array_set_clear_func(node->values, value_clear);
        g_array_append_val(node->values, value);
    }
    if (!node || !negated) {
        return g_steal_pointer(&node);
    }
    if (node->type == SEARCH_NODE_TERM && search_keyword_is_date(node->keyword)) {
        return refuse(parser, "A date cannot be negated in a search.", NULL);
    }
    return node_new(SEARCH_NODE_NOT, g_steal_pointer(&node), NULL);
}

static SearchNode *
take_expression(Parser *parser)
{
    g_autoptr(SearchNode) all = NULL;
    const char *pending = NULL; /* that waits for its right side */

    for (skip_space(parser); *parser->at && *parser->at != ')'; skip_space(parser)) {
        const char *word = take_word(parser, "AND") ? "AND" : take_word(parser, "OR") ? "OR" : NULL;
        SearchNode *item;

        if (word) {
            if (pending || !all) {
                return refuse(parser, "'%s' needs a term on both sides.", word);
            }
            pending = word;
            continue;
        }
        item = take_item(parser);
        if (*parser->error) {
            node_free(item);
            return NULL;
        }
        if (item && all) {
            gboolean is_or = g_strcmp0(pending, "OR") == 0;

            item = node_new(is_or ? SEARCH_NODE_OR : SEARCH_NODE_AND, g_steal_pointer(&all), item);
        }
        if (item) {
            all = item;
            pending = NULL;
        }
    }
    if (pending) {
        return refuse(parser, "'%s' needs a term on both sides.", pending);
    }
    return g_steal_pointer(&all);
}

/* SQLite's parser has a stack of 100 places, of which each level takes up to three. */
static int
depth_of(const SearchNode *node, SearchNodeType above)
{
    int left, right;

    if (!node || node->type == SEARCH_NODE_TERM) {
        return 0;
    }
    left = depth_of(node->left, node->type);
    right = depth_of(node->right, node->type);
    return MAX(left, right) + (node->type == above && above != SEARCH_NODE_NOT ? 0 : 1);
}

Search *
search_parse(const char *text, GError **error)
{
    GError *problem = NULL;
    Parser parser = {.at = text, .error = &problem};
    g_autoptr(Search) search = g_new0(Search, 1);

    if (strlen(text) > SEARCH_MAX_BYTES) {
        (void)refuse(&parser, "The search text is too long.", NULL);
    } else if (!g_utf8_validate(text, -1, NULL)) {
        (void)refuse(&parser, "The search text is not valid UTF-8.", NULL);
    } else {
        search->root = take_expression(&parser);
        if (!problem && *parser.at == ')') {
            (void)refuse(&parser, "The search text lacks an opening parenthesis.", NULL);
        } else if (!problem && depth_of(search->root, SEARCH_NODE_TERM) > SEARCH_MAX_DEPTH) {
            (void)refuse(&parser, "The search text is nested too deeply.", NULL);
        }
    }
    if (problem) {
        g_propagate_error(error, problem);
        return NULL;
    }
    search->include_done = parser.include_done;
    return g_steal_pointer(&search);
}
