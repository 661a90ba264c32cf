/* SPDX-License-Identifier: ISC
 *
 * An engine for each test of a program, and what most of their mails begin with. */
#ifndef TESTS_SCANNER_ENGINED_H
#define TESTS_SCANNER_ENGINED_H

#include "tests/scanner/fixture.h"

#define HEAD                                                                             \
	"From: a@example.org\r\nTo: b@example.org\r\nSubject: hello\r\n"                 \
	"MIME-Version: 1.0\r\n"
#define MIXED     HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define TEXT_PART "--b\r\nContent-Type: text/plain\r\n\r\nThe text that stays.\r\n"

static struct fixture f;

static inline int start(void **state)
{
	(void)state;
	fixture_start(&f);
	fixture_load(&f);
	return 0;
}

/* For a test that loads it by itself. */
static inline int start_without_engine(void **state)
{
	(void)state;
	fixture_start(&f);
	return 0;
}

static inline int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

/* As a part of MIXED, encoded. type: and its parameters. */
static inline void add_part(struct buf *mail, const char *type, struct span bytes)
{
	put_text(mail, "--b\r\nContent-Type: ");
	put_text(mail, type);
	put_text(mail, "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	add_base64(mail, bytes, "\r\n");
	put_text(mail, "\r\n");
}

#define WITH_ENGINE(test) cmocka_unit_test_setup_teardown(test, start, stop)
#define WITHOUT_ENGINE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, start_without_engine, stop)

#endif
