/* SPDX-License-Identifier: ISC */
#include "tests/scanner/found.h"

static void loading_says_what_is_in_and_what_is_not_protected(void **state)
{
	struct job_loaded other;
	struct engine *engine = NULL;

	(void)state;
	assert_int_equal(f.loaded.signatures, 1);
	assert_non_null(strstr(f.loaded.engine, "libclamav 1."));
	assert_non_null(strstr(f.loaded.unprotected, "only the EICAR test signature"));
	assert_non_null(strstr(f.loaded.unprotected, "clamav-freshclam"));
	f.settings.recursion_max = 5;
	assert_int_equal(engine_load(&f.settings, &engine, &other, &f.err), 0);
	assert_false(hash_equal(&f.loaded.digest, &other.digest));
	engine_free(engine);
	f.settings.recursion_max = 17;
	assert_int_equal(engine_load(&f.settings, &engine, &other, &f.err), 0);
	assert_true(hash_equal(&f.loaded.digest, &other.digest));
	engine_free(engine);
}

static void assert_load_fails(enum err_kind kind, const char *words)
{
	assert_int_equal(engine_load(&f.settings, &f.engine, &f.loaded, &f.err), -1);
	assert_int_equal(f.err.kind, kind);
	if (!strstr(f.err.text, words))
		fail_msg("\"%s\" lacks \"%s\"", f.err.text, words);
	assert_null(f.engine);
}

static void a_folder_without_signatures_says_run_freshclam(void **state)
{
	(void)state;
	use_folder(f.temp);
	write_signatures("freshclam.dat", "not a signature file\n");
	assert_load_fails(ERR_SETTINGS, "holds no signatures: run freshclam");
	remove_signatures("freshclam.dat");
	use_folder("/nowhere/at/all");
	assert_load_fails(ERR_SETTINGS, "/nowhere/at/all");
	assert_non_null(strstr(f.err.text, "No such file"));
	f.settings.signatures.count = 0;
	assert_load_fails(ERR_SETTINGS, "run freshclam");
}

static void broken_signatures_are_refused_in_libclamavs_words(void **state)
{
	(void)state;
	use_folder(f.temp);
	write_signatures("bad.ndb", "This is no signature\n");
	assert_load_fails(ERR_SETTINGS, "error loading database");
	assert_non_null(strstr(f.err.text, "bad.ndb"));
	remove_signatures("bad.ndb");
	write_signatures("daily.cvd", "This is no container\n");
	assert_load_fails(ERR_SETTINGS, "does not load");
	remove_signatures("daily.cvd");
	write_signatures("empty.ndb", "");
	assert_load_fails(ERR_SETTINGS, "empty.ndb");
	remove_signatures("empty.ndb");
	write_signatures("only.ign2", "Some.Name\n");
	assert_load_fails(ERR_SETTINGS, "hold no signatures");
	remove_signatures("only.ign2");
}

static void only_the_first_folder_must_load(void **state)
{
	struct job_loaded alone;

	(void)state;
	fixture_load(&f);
	alone = f.loaded;
	assert_string_equal(alone.left_out, "");
	engine_free(f.engine);
	f.engine = NULL;
	f.items[1] = f.temp;
	f.items[2] = (char[]){ "/nowhere/at/all" };
	f.settings.signatures.count = 3;
	/* What stands before the broken line goes, too. */
	write_signatures("own.ndb",
		"Own.Test:0:*:6d616c69636520696e20776f6e6465726c616e64\nThis is none\n");
	fixture_load(&f);
	remove_signatures("own.ndb");
	assert_non_null(strstr(f.loaded.left_out, f.temp));
	assert_non_null(strstr(f.loaded.left_out, "does not load"));
	assert_non_null(strstr(f.loaded.left_out, "/nowhere/at/all are left out"));
	assert_int_equal(f.loaded.signatures, 1);
	assert_true(hash_equal(&f.loaded.digest, &alone.digest));
	assert_result(scan(span_str("it is malice in wonderland, I say")), VERDICT_CLEAN,
		REASON_NONE, "");
	assert_result(scan(span_str(EICAR)), VERDICT_INFECTED, REASON_NONE, EICAR_NAME);
	assert_int_equal(engine_probe(f.engine, &f.err), 0);
	engine_free(f.engine);
	f.engine = NULL;
	/* And nothing stands in for the first. */
	use_folder(f.temp);
	f.items[1] = (char[]){ "test" };
	f.settings.signatures.count = 2;
	write_signatures("bad.ndb", "This is none\n");
	assert_load_fails(ERR_SETTINGS, "does not load");
	remove_signatures("bad.ndb");
	assert_load_fails(ERR_SETTINGS, "holds no signatures");
}

static void a_folder_of_signatures_finds_what_they_say(void **state)
{
	(void)state;
	use_folder(f.temp);
	write_signatures(
		"own.ndb", "Own.Test:0:*:6d616c69636520696e20776f6e6465726c616e64\n");
	fixture_load(&f);
	remove_signatures("own.ndb");
	assert_int_equal(f.loaded.signatures, 1);
	assert_non_null(strstr(f.loaded.unprotected, "(main and daily) are not loaded"));
	assert_result(scan(span_str("it is malice in wonderland, I say")),
		VERDICT_INFECTED, REASON_NONE, "Own.Test.UNOFFICIAL");
	assert_result(scan(span_str(EICAR)), VERDICT_CLEAN, REASON_NONE, "");
	assert_int_equal(engine_probe(f.engine, &f.err), 0);
}

static void without_a_temp_folder_loading_names_the_setting(void **state)
{
	static char missing[] = "/nowhere/at/all";

	(void)state;
	f.settings.temp_dir = missing;
	assert_load_fails(ERR_SETTINGS, "temp-dir /nowhere/at/all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(loading_says_what_is_in_and_what_is_not_protected),
		WITHOUT_ENGINE(a_folder_without_signatures_says_run_freshclam),
		WITHOUT_ENGINE(broken_signatures_are_refused_in_libclamavs_words),
		WITHOUT_ENGINE(only_the_first_folder_must_load),
		WITHOUT_ENGINE(a_folder_of_signatures_finds_what_they_say),
		WITHOUT_ENGINE(without_a_temp_folder_loading_names_the_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
