/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <sys/wait.h>

#include "tests/scanner/fixture.h"

#include "common/mime.h"
#include "common/wire.h"

#include "scanner/worker.h"

#define HEAD                                                                             \
	"From: a@example.org\r\nTo: b@example.org\r\nSubject: hello\r\n"                 \
	"MIME-Version: 1.0\r\n"
#define MIXED     HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define TEXT_PART "--b\r\nContent-Type: text/plain\r\n\r\nThe text that stays.\r\n"
#define EICAR_PART                                                                       \
	"--b\r\nContent-Type: application/octet-stream; name=\"e.com\"\r\n"              \
	"Content-Disposition: attachment; filename=\"e.com\"\r\n"                        \
	"Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64 "\r\n"
#define END "--b--\r\n"
#define UUENCODED                                                                        \
	"See this:\r\n"                                                                  \
	"begin 644 e.com\r\n"                                                            \
	"M6#5/(5`E0$%06S1<4%I8-30H4%XI-T-#*3=])$5)0T%2+5-404Y$05)$+4%.\r\n"              \
	"75$E625)54RU415-4+49)3$4A)$@K2\"H`\r\n`\r\nend\r\n"

static struct fixture f;

static int start(void **state)
{
	(void)state;
	fixture_start(&f);
	fixture_load(&f);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

static void scan(struct span message, uint32_t level, struct verdict *verdict)
{
	*verdict = (struct verdict){ 0 };
	if (worker_clean(f.engine, message, level, "q-17", verdict, &f.err) < 0)
		fail_msg("%s", f.err.text);
}

static void assert_verdict(
	const struct verdict *verdict, enum verdict_kind kind, enum verdict_reason reason)
{
	if (verdict->kind != kind || verdict->reason != reason)
		fail_msg("%s %s: %s", verdict_name(verdict->kind),
			verdict_reason_name(verdict->reason), verdict->detail);
}

/* What the edits make of the message is what the verdict says, is clean but for what remains, keeps
 * every other byte, and is not changed again. */
static void check_cleaned(struct span message, const struct verdict *verdict,
	struct body *body, struct span *cleaned_r)
{
	__attribute__((cleanup(verdict_done))) struct verdict again = { 0 };
	uint64_t from = 0, at = 0;
	struct hash hash;

	body_init(body, f.temp, FIXTURE_MAX);
	assert_int_equal(edits_check(&verdict->edits, message.len, NULL), 0);
	assert_int_equal(edits_apply(&verdict->edits, message, body, NULL), 0);
	assert_int_equal(body_span(body, cleaned_r, NULL), 0);
	assert_int_equal(hash_span(*cleaned_r, &hash, NULL), 0);
	assert_true(hash_equal(&hash, &verdict->cleaned));
	for (size_t i = 0; i < verdict->edits.count; i++) {
		const struct edit *edit = &verdict->edits.list[i];

		assert_memory_equal(cleaned_r->data + at, message.data + from,
			(size_t)(edit->offset - from));
		at += edit->offset - from + edit->text.len;
		from = edit->offset + edit->length;
	}
	assert_int_equal(message.len - from, cleaned_r->len - at);
	scan(*cleaned_r, 0, &again);
	assert_verdict(&again,
		verdict->reason == REASON_NONE ? VERDICT_CLEAN : VERDICT_UNSCANNABLE,
		verdict->reason);
	assert_int_equal(again.edits.count, 0);
}

static const struct {
	const char *message;
	const char *parts; /* of the findings, in order */
	const char *stays;
} infected[] = {
	{ EICAR, "<>", "X-Virus-Status" },
	{ HEAD "\r\n" EICAR, "<>", "Subject: hello\r\n" },
	{ HEAD "Content-Type: application/x-com\r\n"
	       "Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64 "\r\n",
		"<>", "Subject: hello\r\n" },
	{ MIXED TEXT_PART EICAR_PART END, "<2>", TEXT_PART },
	{ MIXED EICAR_PART TEXT_PART EICAR_PART END, "<1><3>", TEXT_PART },
	{ MIXED TEXT_PART "--b\r\nContent-Type: text/plain\r\n\r\n" EICAR "\r\n" END,
		"<2>", TEXT_PART },
	/* only libclamav's mail parser looks for uuencode in text */
	{ MIXED TEXT_PART "--b\r\nContent-Type: text/plain\r\n\r\n" UUENCODED END, "<2>",
		TEXT_PART },
	{ HEAD "\r\nHello.\r\n" UUENCODED, "<>", "Subject: hello\r\n" },
	/* one that is found at once and one that shows when that is gone */
	{ MIXED TEXT_PART EICAR_PART
		"--b\r\nContent-Type: text/plain\r\n\r\n" UUENCODED TEXT_PART END,
		"<2><3>", TEXT_PART },
	{ MIXED TEXT_PART "--b\r\nContent-Type: message/rfc822\r\n\r\n" HEAD
			  "Content-Type: multipart/mixed; boundary=c\r\n\r\n"
			  "--c\r\n\r\nInner text.\r\n--c\r\n"
			  "Content-Type: application/x-com\r\n"
			  "Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64
			  "\r\n--c--\r\n" END,
		"<2.2>", "Inner text." },
	{ MIXED TEXT_PART "--b\r\nContent-Type: message/rfc822\r\n\r\n"
			  "Subject: inner\r\nContent-Type: application/x-com\r\n"
			  "Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64
			  "\r\n" END,
		"<2.1>", "\r\n\r\nSubject: inner\r\n" },
	{ HEAD "Content-Type: multipart/signed; boundary=b\r\n\r\n" TEXT_PART EICAR_PART
			END,
		"<2>", "Subject: hello\r\n" },
	{ MIXED TEXT_PART
		"--b\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\n"
		"Signed.\r\n--c\r\nContent-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64
		"\r\n--c--\r\n" END,
		"<2.2>", TEXT_PART },
	/* padding in the middle: libclamav stops there, mail programs go on */
	{ MIXED TEXT_PART
		"--b\r\nContent-Type: application/x-com\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n"
		"WDVPIQ==\r\nUCVAQVBbNFxQWlg1NChQXik3Q0MpN30kRUlDQVItU1RBTkRBUkQt\r\n"
		"QU5USVZJUlVTLVRFU1QtRklMRSEkSCtIKg==\r\n" END,
		"<2>", TEXT_PART },
	/* behind the closing delimiter, for those who read on */
	{ MIXED TEXT_PART END EICAR_PART, "<EPILOGUE>", TEXT_PART END },
	{ MIXED UUENCODED TEXT_PART END, "<PREAMBLE>", "\r\n" TEXT_PART END },
	{ MIXED TEXT_PART END "Bye.\r\n" UUENCODED, "<EPILOGUE>", TEXT_PART END },
	/* a message that is encoded, which it must not be */
	{ MIXED TEXT_PART
		"--b\r\nContent-Type: message/rfc822\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n"
		"Q29udGVudC1UcmFuc2Zlci1FbmNvZGluZzogYmFzZTY0DQoNCldEVlBJVkFs\r\n"
		"UUVGUVd6UmNVRnBZTlRRb1VGNHBOME5ES1RkOUpFVkpRMEZTTFZOVVFVNUVRVkpF\r\n"
		"TFVGT1ZFbFdTVkpWVXkxVVJWTlVMVVpKVEVVaEpFZ3JTQ289\r\n" END,
		"<2>", TEXT_PART },
	/* the payload stands in a header to some */
	{ HEAD "Content-Transfer-Encoding: base64\r\nno field\r\n" EICAR_BASE64 "\r\n",
		"<>", "Subject: hello\r\n" },
};

static void infected_parts_are_found_and_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(infected) / sizeof(*infected); i++) {
		__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
		struct span message = span_str(infected[i].message), cleaned;
		char parts[256] = "";
		auto_body struct body body;

		scan(message, 0, &verdict);
		assert_verdict(&verdict, VERDICT_INFECTED, REASON_NONE);
		for (size_t n = 0; n < verdict.finding_count; n++) {
			(void)snprintf(parts + strlen(parts),
				sizeof(parts) - strlen(parts), "<%s>",
				verdict.findings[n].part);
			assert_string_equal(verdict.findings[n].signature, EICAR_NAME);
		}
		if (infected[i].parts)
			assert_string_equal(parts, infected[i].parts);
		check_cleaned(message, &verdict, &body, &cleaned);
		if (span_find(cleaned, span_str(infected[i].stays)) < 0)
			fail_msg("case %zu: %.*s", i, (int)cleaned.len,
				(const char *)cleaned.data);
	}
}

/* Names that say something else than they show. */
static const struct {
	const char *parameter; /* of Content-Disposition */
	const char *name;      /* of the finding */
	const char *shown;     /* in the notice */
} names[] = {
	{ "filename=\"a.pdf.exe\"", "a.pdf.exe", "\"a.pdf.exe\"" },
	{ "filename*=utf-8''doc%E2%80%AEfdp.exe",
		/* NOLINTNEXTLINE(misc-misleading-bidirectional): that is the case */
		"doc\xe2\x80\xae"
		"fdp.exe",
		"\"doc?fdp.exe\"" },
	{ "filename*0*=utf-8''one%20; filename*1=two.exe", "one two.exe",
		"\"one two.exe\"" },
	{ "filename=\"=?utf-8?B?dsOkdGVyLmV4ZQ==?=\"", "v\xc3\xa4ter.exe",
		"\"v?ter.exe\"" },
	{ "filename=\"../../etc/passwd\"", "../../etc/passwd", "\"../../etc/passwd\"" },
	{ "filename*=us-ascii''a%0D%0AX-Evil:%20b%22.exe", "a  X-Evil: b\".exe",
		"\"a  X-Evil: b?.exe\"" },
	{ "filename*=us-ascii''a%1B[2J.exe", "a [2J.exe", "\"a [2J.exe\"" },
};

static void deceiving_names_are_shown_for_what_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
		auto_body struct body body;
		auto_buf struct buf mail;
		struct span cleaned;

		buf_init(&mail, 4096);
		assert_int_equal(
			buf_printf(&mail, NULL,
				MIXED TEXT_PART
				"--b\r\nContent-Type: application/octet-stream\r\n"
				"Content-Disposition: attachment; %s\r\n"
				"Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64
				"\r\n" END,
				names[i].parameter),
			0);
		scan(buf_span(&mail), 0, &verdict);
		assert_verdict(&verdict, VERDICT_INFECTED, REASON_NONE);
		assert_int_equal(verdict.finding_count, 1);
		assert_string_equal(verdict.findings[0].name, names[i].name);
		check_cleaned(buf_span(&mail), &verdict, &body, &cleaned);
		if (span_find(cleaned, span_str(names[i].shown)) < 0)
			fail_msg("%s in: %.*s", names[i].shown, (int)cleaned.len,
				(const char *)cleaned.data);
	}
}

static void a_nul_in_a_name_hides_nothing_that_follows(void **state)
{
	static const char mail[] = MIXED TEXT_PART
		"--b\r\nContent-Type: application/octet-stream; name=\"a.txt\0.exe\"\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64 "\r\n" END;
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };

	(void)state;
	scan((struct span){ (const uint8_t *)mail, sizeof(mail) - 1 }, 0, &verdict);
	assert_verdict(&verdict, VERDICT_INFECTED, REASON_NONE);
	assert_int_equal(verdict.finding_count, 1);
	assert_string_equal(verdict.findings[0].name, "a.txt?.exe");
}

static void lf_mail_is_cut_with_lf(void **state)
{
	static const char crlf[] = MIXED TEXT_PART EICAR_PART END;
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_body struct body body;
	struct span cleaned;
	char lf[sizeof(crlf)];
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(crlf) - 1; i++)
		if (crlf[i] != '\r')
			lf[len++] = crlf[i];
	scan((struct span){ (uint8_t *)lf, len }, 0, &verdict);
	assert_verdict(&verdict, VERDICT_INFECTED, REASON_NONE);
	check_cleaned((struct span){ (uint8_t *)lf, len }, &verdict, &body, &cleaned);
	assert_int_equal(span_find(cleaned, span_str("\r")), -1);
}

static void a_finding_tells_name_type_and_size(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };

	(void)state;
	scan(span_str(MIXED TEXT_PART EICAR_PART END), 0, &verdict);
	assert_int_equal(verdict.finding_count, 1);
	assert_string_equal(verdict.findings[0].name, "e.com");
	assert_string_equal(verdict.findings[0].type, "application/octet-stream");
	assert_int_equal(verdict.findings[0].size, strlen(EICAR_BASE64));
}

static void clean_mail_has_no_finding_and_no_edit(void **state)
{
	static const char *const messages[] = {
		HEAD "\r\nHello.\r\n",
		MIXED TEXT_PART END,
		"",
		"no header at all",
		HEAD "\r\nThe EICAR text " EICAR " is quoted here.\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };

		scan(span_str(messages[i]), 0, &verdict);
		assert_verdict(&verdict, VERDICT_CLEAN, REASON_NONE);
		assert_int_equal(verdict.finding_count, 0);
		assert_int_equal(verdict.edits.count, 0);
		assert_string_equal(verdict.detail, "");
	}
}

static void add(struct buf *mail, const char *text)
{
	assert_int_equal(buf_add_str(mail, text, NULL), 0);
}

static void add_zip_part(struct buf *mail, uint32_t flags)
{
	auto_buf struct buf zip;

	buf_init(&zip, FIXTURE_MAX);
	make_zip(&zip, "secret.txt", span_str("0123456789abcdefghijklmnop"), flags);
	add(mail, "--b\r\nContent-Type: application/zip; name=a.zip\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\n");
	add_base64(mail, buf_span(&zip), "\r\n");
	add(mail, "\r\n");
}

static void what_remains_beside_a_cut_is_told(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_body struct body body;
	auto_buf struct buf mail;
	struct span cleaned;

	(void)state;
	buf_init(&mail, FIXTURE_MAX);
	add(&mail, MIXED);
	add_zip_part(&mail, ZIP_ENCRYPTED);
	add(&mail, TEXT_PART EICAR_PART END);
	scan(buf_span(&mail), 0, &verdict);
	assert_verdict(&verdict, VERDICT_INFECTED, REASON_ENCRYPTED);
	assert_int_equal(verdict.finding_count, 1);
	assert_string_equal(verdict.findings[0].part, "3");
	check_cleaned(buf_span(&mail), &verdict, &body, &cleaned);
}

/* Who asks has it verified. */
static void a_first_cut_is_not_looked_at(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict first = { 0 },
							      second = { 0 };
	auto_buf struct buf mail;

	(void)state;
	buf_init(&mail, FIXTURE_MAX);
	add(&mail, MIXED);
	add_zip_part(&mail, ZIP_ENCRYPTED);
	add(&mail, TEXT_PART EICAR_PART END);
	assert_int_equal(
		worker_scan(f.engine, buf_span(&mail), "q-17", &first, &f.err), 0);
	scan(buf_span(&mail), 0, &second);
	assert_verdict(&first, VERDICT_INFECTED, REASON_NONE);
	assert_verdict(&second, VERDICT_INFECTED, REASON_ENCRYPTED);
	assert_true(hash_equal(&first.cleaned, &second.cleaned));
}

static void what_cannot_be_seen_is_not_clean(void **state)
{
	static const struct {
		const char *message;
		enum verdict_reason reason;
	} cases[] = {
		{ HEAD "Content-Type: multipart/encrypted; boundary=b;\r\n"
		       " protocol=\"application/pgp-encrypted\"\r\n\r\n"
		       "--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
		       "--b\r\nContent-Type: application/octet-stream\r\n\r\n"
		       "-----BEGIN PGP MESSAGE-----\r\n\r\nabcd\r\n"
		       "-----END PGP MESSAGE-----\r\n" END,
			REASON_ENCRYPTED },
		{ HEAD "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n"
		       "Content-Transfer-Encoding: base64\r\n\r\nMIIB\r\n",
			REASON_ENCRYPTED },
		{ HEAD "Content-Type: message/partial; id=x; number=1; total=2\r\n\r\n"
		       "Subject: half\r\n\r\nhalf\r\n",
			REASON_UNSUPPORTED },
		{ HEAD "Content-Type: message/external-body; access-type=ftp;\r\n"
		       " site=\"ftp.example.org\"; name=\"a.exe\"\r\n\r\n"
		       "Content-Type: application/octet-stream\r\n\r\n",
			REASON_UNSUPPORTED },
		{ HEAD "\r\nSee below.\r\n-----BEGIN PGP MESSAGE-----\r\n\r\n"
		       "hQEMA0\r\n-----END PGP MESSAGE-----\r\n",
			REASON_ENCRYPTED },
		{ HEAD "Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\n"
		       "Content-Transfer-Encoding: base64\r\n\r\nMIIB\r\n",
			REASON_ENCRYPTED },
		/* signed-data without an end */
		{ HEAD "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n"
		       "Content-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHAqCAMIA=\r\n",
			REASON_UNSUPPORTED },
		{ MIXED TEXT_PART "--b\r\nContent-Type: application/x-rar; name=a.rar\r\n"
				  "Content-Transfer-Encoding: base64\r\n\r\n"
				  "UmFyIRoHAQAzkrXlCgEFBgAFAQGAgACbEjUu\r\n" END,
			REASON_UNSUPPORTED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };

		scan(span_str(cases[i].message), 0, &verdict);
		assert_verdict(&verdict, VERDICT_UNSCANNABLE, cases[i].reason);
		assert_true(verdict.detail[0] != '\0');
		assert_int_equal(verdict.edits.count, 0);
	}
}

static void headers_and_nesting_past_their_limits_are_not_clean(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_buf struct buf mail;
	char text[80];

	(void)state;
	buf_init(&mail, FIXTURE_MAX);
	add(&mail, HEAD);
	for (int i = 0; i < MIME_HEADER_FIELDS_MAX; i++)
		add(&mail, "X-Field: value\r\n");
	add(&mail, "\r\ntext\r\n");
	scan(buf_span(&mail), 0, &verdict);
	assert_verdict(&verdict, VERDICT_UNSCANNABLE, REASON_MALFORMED);
	verdict_done(&verdict);
	buf_clear(&mail);
	for (int i = 0; i < MIME_DEPTH_MAX + 5; i++) {
		(void)snprintf(text, sizeof(text),
			"Content-Type: multipart/mixed; boundary=b%d-\r\n\r\n--b%d-\r\n",
			i, i);
		add(&mail, text);
	}
	scan(buf_span(&mail), 0, &verdict);
	assert_verdict(&verdict, VERDICT_UNSCANNABLE, REASON_LIMIT);
}

static void more_finds_than_can_be_listed_take_the_whole_body(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_body struct body body;
	auto_buf struct buf mail;
	struct span cleaned;

	(void)state;
	buf_init(&mail, FIXTURE_MAX);
	add(&mail, MIXED);
	for (int i = 0; i < FINDINGS_MAX; i++)
		add(&mail, "--b\r\n\r\n" EICAR "\r\n");
	add(&mail, END);
	scan(buf_span(&mail), 0, &verdict);
	assert_verdict(&verdict, VERDICT_INFECTED, REASON_NONE);
	check_cleaned(buf_span(&mail), &verdict, &body, &cleaned);
	assert_true(cleaned.len < 2000);
}

static void the_level_asked_for_is_where_cutting_starts(void **state)
{
	static const uint32_t levels[] = { 1, JOB_LEVEL_ALL };
	struct span message = span_str(MIXED TEXT_PART EICAR_PART END);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
		auto_body struct body body;
		struct span cleaned;

		scan(message, levels[i], &verdict);
		assert_verdict(&verdict, VERDICT_INFECTED, REASON_NONE);
		check_cleaned(message, &verdict, &body, &cleaned);
		assert_int_equal(span_find(cleaned, span_str("The text that stays")), -1);
	}
}

static void what_sits_in_the_header_cannot_be_cut(void **state)
{
	static const char signature[] = "In.Header:0:*:582d4576696c3a20796573\n";
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	char path[200];
	FILE *file;

	(void)state;
	engine_free(take_ptr(&f.engine));
	(void)snprintf(path, sizeof(path), "%s/own.ndb", f.temp);
	file = fopen(path, "w");
	assert_true(file && fputs(signature, file) >= 0 && fclose(file) == 0);
	free(f.items[0]);
	f.items[0] = strdup(f.temp);
	fixture_load(&f);
	assert_int_equal(unlink(path), 0);
	scan(span_str("X-Evil: yes\r\n" MIXED TEXT_PART END), 0, &verdict);
	assert_verdict(&verdict, VERDICT_UNSCANNABLE, REASON_ERROR);
	assert_non_null(strstr(verdict.detail, "In.Header.UNOFFICIAL was found and"));
	assert_int_equal(verdict.edits.count, 0);
}

static void without_temp_space_there_is_no_verdict(void **state)
{
	static const char *const messages[] = { MIXED TEXT_PART END,
		MIXED EICAR_PART END };

	(void)state;
	assert_int_equal(rmdir(f.temp), 0);
	for (size_t i = 0; i < 2; i++) {
		__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };

		scan(span_str(messages[i]), 0, &verdict);
		/* The parent is told that it was for space. */
		assert_verdict(&verdict, VERDICT_RETRY, REASON_LIMIT);
		assert_true(verdict.detail[0] != '\0');
	}
}

static void time_runs_out_for_the_message_not_for_each_part(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_buf struct buf mail;

	(void)state;
	engine_free(take_ptr(&f.engine));
	f.settings.scan_timeout_ms = 20;
	fixture_load(&f);
	buf_init(&mail, FIXTURE_MAX);
	add(&mail, MIXED);
	for (int i = 0; i < 9000; i++)
		add(&mail, "--b\r\n\r\ntext\r\n");
	add(&mail, END);
	scan(buf_span(&mail), 0, &verdict);
	assert_verdict(&verdict, VERDICT_UNSCANNABLE, REASON_TIMEOUT);
}

static void verifying_looks_and_cuts_nothing(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict bad = { 0 };
	__attribute__((cleanup(verdict_done))) struct verdict good = { 0 };

	(void)state;
	assert_int_equal(
		worker_verify(f.engine, span_str(MIXED EICAR_PART END), &bad, NULL), 0);
	assert_verdict(&bad, VERDICT_INFECTED, REASON_NONE);
	assert_int_equal(bad.finding_count, 1);
	assert_int_equal(bad.edits.count, 0);
	assert_int_equal(
		worker_verify(f.engine, span_str(MIXED TEXT_PART END), &good, NULL), 0);
	assert_verdict(&good, VERDICT_CLEAN, REASON_NONE);
}

/* A worker in a process of its own, as the engine host forks it. */
static pid_t fork_worker(int *fd_r, const char *temp)
{
	int fds[2];
	pid_t child;

	assert_int_equal(job_socketpair(fds, NULL), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(fds[0]);
		worker_main(f.engine, &f.settings, fds[1], temp);
	}
	(void)close(fds[1]);
	*fd_r = fds[0];
	return child;
}

static void ask(int fd, enum job_type type, const char *message, struct verdict *verdict)
{
	struct span spans[2] = { { 0 }, span_str(message) };
	const struct allow nothing = { 0 };
	auto_buf struct buf start, reply;
	struct job_head head;

	buf_init(&start, 100);
	buf_init(&reply, JOB_REPLY_MAX);
	assert_int_equal(job_scan_start("q-18", &nothing, &start, NULL), 0);
	spans[0] = buf_span(&start);
	assert_int_equal(job_send(fd, type, 0, spans, 2, NULL), 0);
	assert_int_equal(job_receive(fd, &head, &reply, NULL), 1);
	assert_int_equal(head.type, JOB_VERDICT);
	assert_int_equal(wire_decode_verdict(buf_span(&reply), verdict, NULL), 0);
}

static void a_worker_serves_jobs_until_its_socket_closes(void **state)
{
	int fd, status;
	pid_t child = fork_worker(&fd, f.temp);
	struct job_head head;
	auto_buf struct buf reply;

	(void)state;
	buf_init(&reply, JOB_REPLY_MAX);
	assert_int_equal(job_receive(fd, &head, &reply, NULL), 1);
	assert_int_equal(head.type, JOB_READY);
	for (int i = 0; i < 3; i++) {
		__attribute__((cleanup(verdict_done))) struct verdict bad = { 0 };
		__attribute__((cleanup(verdict_done))) struct verdict good = { 0 };

		ask(fd, JOB_SCAN, MIXED TEXT_PART EICAR_PART END, &bad);
		assert_verdict(&bad, VERDICT_INFECTED, REASON_NONE);
		assert_int_equal(bad.edits.count, 2);
		assert_true(span_find(buf_span(&bad.edits.list[0].text),
				    span_str("X-Quarantine-ID: q-18")) > 0);
		ask(fd, JOB_VERIFY, MIXED TEXT_PART END, &good);
		assert_verdict(&good, VERDICT_CLEAN, REASON_NONE);
	}
	(void)close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_worker_that_does_not_find_the_probe_does_not_serve(void **state)
{
	int fd, status;
	pid_t child = fork_worker(&fd, "/nowhere/at/all");
	struct job_head head;
	auto_buf struct buf reply;

	(void)state;
	buf_init(&reply, JOB_REPLY_MAX);
	assert_int_equal(job_receive(fd, &head, &reply, NULL), 1);
	assert_int_equal(head.type, JOB_FAILED);
	assert_true(span_find(buf_span(&reply), span_str("/nowhere/at/all")) > 0);
	(void)close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
}

static void a_worker_dies_of_a_job_it_does_not_know(void **state)
{
	static const struct {
		uint32_t type;
		uint64_t length;
	} heads[] = { { HOST_FORK, 0 }, { JOB_SCAN, UINT64_MAX } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct job_head head = { .type = heads[i].type,
			.length = heads[i].length };
		int fd, status;
		pid_t child = fork_worker(&fd, f.temp);
		auto_buf struct buf reply;

		buf_init(&reply, JOB_REPLY_MAX);
		assert_int_equal(write(fd, &head, sizeof(head)), sizeof(head));
		assert_int_equal(job_receive(fd, &head, &reply, NULL), 1);
		assert_int_equal(job_receive(fd, &head, &reply, NULL), 1);
		assert_int_equal(head.type, JOB_FAILED);
		assert_int_equal(job_receive(fd, &head, &reply, NULL), 0);
		(void)close(fd);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)
		TEST(infected_parts_are_found_and_cut),
		TEST(lf_mail_is_cut_with_lf),
		TEST(deceiving_names_are_shown_for_what_they_are),
		TEST(a_nul_in_a_name_hides_nothing_that_follows),
		TEST(a_finding_tells_name_type_and_size),
		TEST(clean_mail_has_no_finding_and_no_edit),
		TEST(what_remains_beside_a_cut_is_told),
		TEST(a_first_cut_is_not_looked_at),
		TEST(what_cannot_be_seen_is_not_clean),
		TEST(headers_and_nesting_past_their_limits_are_not_clean),
		TEST(more_finds_than_can_be_listed_take_the_whole_body),
		TEST(the_level_asked_for_is_where_cutting_starts),
		TEST(what_sits_in_the_header_cannot_be_cut),
		TEST(without_temp_space_there_is_no_verdict),
		TEST(time_runs_out_for_the_message_not_for_each_part),
		TEST(verifying_looks_and_cuts_nothing),
		TEST(a_worker_serves_jobs_until_its_socket_closes),
		TEST(a_worker_that_does_not_find_the_probe_does_not_serve),
		TEST(a_worker_dies_of_a_job_it_does_not_know),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
