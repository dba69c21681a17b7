/* routes_reload.c - /scripts/reload. [layer: serve] */
#include "data/doc.h"
#include "serve/thread.h"

enum { R_DIFF };
const struct pt_param pt_reload_params[] = {
    [R_DIFF] = { .name = "diff",
                 .type = PT_PARAM_BOOL,
                 .fallback = "false",
                 .about = "only says what would change" },
    { 0 },
};

static void reply(struct pt_request *request, void *arg, const bson_t *outcome,
                  const struct pt_err *err)
{
    struct pt_buf out = { 0 };
    struct pt_json json;
    bool ok = false;
    (void)arg;
    if (outcome == NULL) {
        if (err->code == PT_ECANCEL)
            pt_reply_problem(request, 503, "%s", err->text);
        else
            pt_reply_error(request, err);
        return;
    }
    pt_doc_bool(outcome, "ok", &ok);
    pt_json_init(&json, &out);
    pt_doc_json(outcome, &json);
    pt_reply_text(request, ok ? 200 : 409, PT_TYPE_JSON, &out);
}

void pt_handle_reload(struct pt_request *request)
{
    struct pt_err err;
    if (pt_wait_reload(request, request->value[R_DIFF].number != 0, reply, &err) != PT_OK)
        reply(request, NULL, NULL, &err);
}
