/* accept.c - what a client says it takes: Accept, Accept-Encoding, If-None-Match. [layer: serve]
 */
#include "serve/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One element of a comma-separated header, its parameters cut off. */
struct element {
    const char *name;
    size_t len;
    int quality; /* thousandths */
};

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* "0.8" -> 800; anything else is 1, as a header that cannot be read must not hide a reply. */
static int read_quality(const char *p)
{
    if (*p == '1' || *p != '0') return 1000;
    int quality = 0, place = 100;
    if (*++p == '.') p++;
    for (; *p >= '0' && *p <= '9' && place > 0; p++, place /= 10) quality += (*p - '0') * place;
    return quality;
}

static const char *next_element(const char *p, struct element *element)
{
    p += strspn(p, " \t,");
    if (*p == '\0') return NULL;
    element->name = p;
    element->len = strcspn(p, " \t,;");
    element->quality = 1000;
    p += element->len;
    for (p = skip_blanks(p); *p == ';'; p = skip_blanks(p)) {
        p = skip_blanks(p + 1);
        if ((*p == 'q' || *p == 'Q') && p[1] == '=') element->quality = read_quality(p + 2);
        p += strcspn(p, ",;");
    }
    return p + strcspn(p, ",");
}

static bool is(const struct element *element, const char *name)
{
    return element->len == strlen(name) && strncasecmp(element->name, name, element->len) == 0;
}

bool pt_accepts_gzip(const char *accept_encoding)
{
    struct element element;
    int gzip = -1, any = -1;
    for (const char *p = accept_encoding; p != NULL && (p = next_element(p, &element)) != NULL;) {
        if (is(&element, "gzip") || is(&element, "x-gzip")) gzip = element.quality;
        if (is(&element, "*")) any = element.quality;
    }
    return gzip >= 0 ? gzip > 0 : any > 0;
}

bool pt_accepts_csv(const char *accept)
{
    struct element element;
    int csv = 0, json = 0;
    for (const char *p = accept; p != NULL && (p = next_element(p, &element)) != NULL;) {
        if (is(&element, "text/csv")) csv = element.quality;
        if (is(&element, "application/json")) json = element.quality;
    }
    return csv > 0 && csv >= json;
}

bool pt_etag_matches(const char *if_none_match, const char *etag)
{
    if (if_none_match == NULL) return false;
    if (strncmp(etag, "W/", 2) == 0) etag += 2;
    size_t len = strlen(etag);
    for (const char *p = if_none_match; *(p += strspn(p, " \t,")) != '\0';) {
        if (*p == '*') return true;
        if (strncmp(p, "W/", 2) == 0) p += 2;
        size_t here = strcspn(p, ","); /* our tags hold no comma */
        size_t end = here;
        while (end > 0 && (p[end - 1] == ' ' || p[end - 1] == '\t')) end--;
        if (end == len && strncmp(p, etag, len) == 0) return true;
        p += here;
    }
    return false;
}
