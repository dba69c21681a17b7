/* test_plugin.c - shared objects at the edge: their options are checked before anything starts. */
#include "kit.h"

#include "flow/plugins.h"
#include "puppet.h"

static struct pt_conf *conf;
static struct pt_buf mistakes;

static void begin(void)
{
    char path[PATH_MAX];
    OK(pt_conf_new(&conf, &kit_err));
    kit_beside(path, "plugins");
    kit_set(conf, "plugins.path=%s", path);
}

static void end(void)
{
    pt_conf_free(conf);
    pt_buf_fini(&mistakes);
}

static void refused(const char *name, const char *words)
{
    struct pt_feed *feed = NULL;
    CU_ASSERT_NOT_EQUAL(pt_feed_load(conf, name, &feed, &mistakes), PT_OK);
    CU_ASSERT_PTR_NULL(feed);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mistakes.data);
    if (!strstr(mistakes.data, words)) printf("\n  '%s' does not say '%s'\n", mistakes.data, words);
    CU_ASSERT_PTR_NOT_NULL(strstr(mistakes.data, words));
}

static void test_options_fill_the_plugin_s_struct(void)
{
    static struct puppet puppet;
    const struct pt_feed_host host = { 0 };
    struct pt_feed *feed = NULL;
    begin();
    kit_set(conf, "feed puppet.strings=%p", (void *)&puppet);
    kit_set(conf, "feed puppet.span=2h");
    kit_set(conf, "feed puppet.flag=yes");
    CU_ASSERT_EQUAL(pt_feed_load(conf, "puppet", &feed, &mistakes), PT_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(feed);
    CU_ASSERT_EQUAL(mistakes.len, 0);
    CU_ASSERT_STRING_EQUAL(feed->name, "puppet");
    atomic_store(&puppet.fail_open, true);
    CU_ASSERT_EQUAL(feed->plugin->open(feed->self, &host, &kit_err), PT_EIO);
    CU_ASSERT_EQUAL(puppet.number, 7);
    CU_ASSERT_EQUAL(puppet.span, 2 * PT_US_HOUR);
    CU_ASSERT_EQUAL(puppet.size, 65536);
    CU_ASSERT_TRUE(puppet.flag);
    CU_ASSERT_STRING_EQUAL(puppet.text, "hello");
    pt_feed_free(feed);
    end();
}

static void test_every_mistake_is_named_at_once(void)
{
    begin();
    kit_set(conf, "feed puppet.number=101");
    kit_set(conf, "feed puppet.span=soon");
    kit_set(conf, "feed puppet.flag=perhaps");
    kit_set(conf, "feed puppet.colour=red");
    refused("puppet", "strings is required");
    CU_ASSERT_PTR_NOT_NULL(strstr(mistakes.data, "number = 101: must be from 1 to 100"));
    CU_ASSERT_PTR_NOT_NULL(strstr(mistakes.data, "span = soon"));
    CU_ASSERT_PTR_NOT_NULL(strstr(mistakes.data, "flag = perhaps: is not yes or no"));
    CU_ASSERT_PTR_NOT_NULL(strstr(mistakes.data, "colour"));
    CU_ASSERT_PTR_NOT_NULL(strstr(mistakes.data, "strings, text, number, span, size, flag"));
    end();
}

static void test_a_plugin_that_is_not_there_is_named(void)
{
    begin();
    refused("nobody", "no plugin feed_nobody.so in");
    end();
}

static void test_a_plugin_of_another_api_is_refused(void)
{
    begin();
    refused("old", "plugin api 99");
    end();
}

static void test_a_name_that_leads_elsewhere_is_refused(void)
{
    begin();
    refused("../../etc/passwd", "no name of a feed");
    end();
}

static void test_options_are_printed_for_every_plugin(void)
{
    struct pt_buf out = { 0 };
    begin();
    OK(pt_plugins_print(conf, &out, &kit_err));
    CU_ASSERT_PTR_NOT_NULL_FATAL(out.data);
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "[feed puppet]  delivers what a test tells it to"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "1..100"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "required"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "[feed old]"));
    kit_set(conf, "plugins.path=/nowhere");
    CU_ASSERT_EQUAL(pt_plugins_print(conf, &out, &kit_err), PT_ENOENT);
    pt_buf_fini(&out);
    end();
}

static CU_TestInfo tests[] = {
    { "options fill the plugin's struct", test_options_fill_the_plugin_s_struct },
    { "every mistake is named at once", test_every_mistake_is_named_at_once },
    { "a plugin that is not there is named", test_a_plugin_that_is_not_there_is_named },
    { "a plugin of another api is refused", test_a_plugin_of_another_api_is_refused },
    { "a name that leads elsewhere is refused", test_a_name_that_leads_elsewhere_is_refused },
    { "options are printed for every plugin", test_options_are_printed_for_every_plugin },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("flow.plugin", tests);
}
