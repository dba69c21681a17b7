#include "base/log.h"
#include "base/timefmt.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* stderr goes to a file while a test writes to it. */
static int saved = -1;
static char path[32];

static void capture(void)
{
    strcpy(path, "/tmp/pt-test-log-XXXXXX");
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    saved = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    fcntl(STDERR_FILENO, F_SETFL, O_APPEND);
    close(fd);
}

/* What was written since; the caller frees it. */
static char *captured(void)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    FILE *file = fopen(path, "rb");
    CU_ASSERT_FATAL(file != NULL);
    size_t size = 4 << 20;
    char *text = malloc(size);
    size_t len = fread(text, 1, size - 1, file);
    text[len] = '\0';
    fclose(file);
    unlink(path);
    return text;
}

static void test_writes_one_line_an_event(void)
{
    capture();
    errno = ENOENT;
    pt_log(PT_WARN, "feed.sim", "stale", "symbol=%s silent_ms=%d", "BTCUSDT", 5000);
    pt_log(PT_ERROR, "store", "full", "%s", "");
    pt_log(PT_INFO, "peer", "said", "text=%s", "a\nb\x1b[0m");
    int kept = errno;
    char *text = captured();
    CU_ASSERT_EQUAL(kept, ENOENT);
    const char *first = text, *second = strchr(text, '\n');
    CU_ASSERT_FATAL(second != NULL);
    second++;
    int64_t us;
    CU_ASSERT_EQUAL(pt_time_parse(first, 24, &us), PT_OK); /* 2026-11-23T04:05:06.123Z */
    CU_ASSERT(first[19] == '.' && first[23] == 'Z');
    static const char warn[] = " warn feed.sim stale symbol=BTCUSDT silent_ms=5000\n";
    CU_ASSERT_EQUAL(strncmp(first + 24, warn, sizeof warn - 1), 0);
    static const char error[] = " error store full\n";
    CU_ASSERT_EQUAL(strncmp(second + 24, error, sizeof error - 1), 0);
    const char *third = strchr(second, '\n') + 1;
    CU_ASSERT_STRING_EQUAL(third + 24, " info peer said text=a b [0m\n");
    free(text);
}

/* A value says nothing that a key=value reader would take for another one. */
static void test_quoted_values_are_escaped(void)
{
    capture();
    pt_log(PT_INFO, "a", "b", "text=\"%s\" n=%d", "it says \"x\" level=\\ \n\t\x1b", 7);
    pt_log(PT_INFO, "a", "b", "t=\"%.*s\" w=%-4dz u=%zu l=%lld f=%.2f c=%c p=%% q=%5s", 3, "ab\"cd",
           5, (size_t)6, -7LL, 1.5, 'x', "y");
    pt_log(PT_INFO, "a", "b", "%s", "raw \"quotes\"");
    char *text = captured();
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, " a b text=\"it says \\\"x\\\" level=\\\\ \\n\\t\\x1b\" n=7\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, " a b t=\"ab\\\"\" w=5   z u=6 l=-7 f=1.50 c=x p=% q=    y\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " a b raw \"quotes\"\n"));
    free(text);
}

static void test_drops_what_is_under_its_level(void)
{
    capture();
    pt_log(PT_DEBUG, "a", "hidden", "%s", "");
    pt_log_set_level(PT_DEBUG);
    pt_log(PT_DEBUG, "a", "shown", "%s", "");
    pt_log_set_level(PT_QUIET);
    pt_log(PT_ERROR, "a", "hidden", "%s", "");
    pt_log(PT_QUIET, "a", "hidden", "%s", "");
    bool enabled = pt_log_enabled(PT_ERROR);
    pt_log_set_level(PT_INFO);
    char *text = captured();
    CU_ASSERT_FALSE(enabled);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " debug a shown\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "hidden"));
    free(text);
}

static void test_keeps_long_lines_whole(void)
{
    for (int len = 900; len < 1100; len += 1) { /* around the room on the stack */
        capture();
        pt_log(PT_INFO, "part", "event", "%*d", len, 7);
        char *text = captured();
        size_t head = strlen("2026-11-23T04:05:06.123Z info part event ");
        CU_ASSERT_EQUAL_FATAL(strlen(text), head + (size_t)len + 1);
        CU_ASSERT_STRING_EQUAL_FATAL(text + strlen(text) - 2, "7\n");
        free(text);
    }
}

static void *chatter(void *arg)
{
    const char *name = arg;
    for (int i = 0; i < 2000; i++) pt_log(PT_INFO, name, "said", "i=%d text=%0200d", i, i);
    return NULL;
}

static void test_lines_of_threads_do_not_mix(void)
{
    static const char *const names[] = { "one", "two", "three" };
    pthread_t threads[3];
    capture();
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(pthread_create(&threads[i], NULL, chatter, (void *)(size_t)names[i]), 0);
    for (size_t i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    char *text = captured();
    int next[3] = { 0 }, lines = 0;
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
        char name[16];
        int i, padded;
        *end = '\0';
        CU_ASSERT_EQUAL_FATAL(sscanf(line + 24, " info %15s said i=%d text=%d", name, &i, &padded),
                              3);
        size_t which = name[0] == 'o' ? 0 : name[1] == 'w' ? 1 : 2;
        CU_ASSERT_FATAL(strcmp(name, names[which]) == 0 && i == padded && i == next[which]++);
    }
    CU_ASSERT_EQUAL(lines, 6000);
    free(text);
}

static void test_reads_level_words(void)
{
    static const struct {
        const char *word;
        enum pt_level level;
    } cases[] = { { "debug", PT_DEBUG },   { "INFO", PT_INFO },   { "warn", PT_WARN },
                  { "Error", PT_ERROR },   { "quiet", PT_QUIET }, { "WARNING", PT_WARN },
                  { "CRITICAL", PT_ERROR } };
    enum pt_level level;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CU_ASSERT_TRUE(pt_log_parse_level(cases[i].word, &level));
        CU_ASSERT_EQUAL(level, cases[i].level);
    }
    CU_ASSERT_FALSE(pt_log_parse_level("", &level));
    CU_ASSERT_FALSE(pt_log_parse_level("loud", &level));
}

static CU_TestInfo tests[] = {
    { "writes one line an event", test_writes_one_line_an_event },
    { "quoted values are escaped", test_quoted_values_are_escaped },
    { "drops what is under its level", test_drops_what_is_under_its_level },
    { "keeps long lines whole", test_keeps_long_lines_whole },
    { "lines of threads do not mix", test_lines_of_threads_do_not_mix },
    { "reads level words", test_reads_level_words },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("log", tests);
}
