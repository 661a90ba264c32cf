/* SPDX-License-Identifier: ISC */
#include "common/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/utf8.h"

enum {
	METRICS_MAX = 16 * 1024 * 1024,
	MS_PER_S = 1000
};

void metrics_init(struct metrics *metrics)
{
	*metrics = (struct metrics){ 0 };
	buf_init(&metrics->out, METRICS_MAX);
}

void metrics_done(struct metrics *metrics)
{
	buf_done(&metrics->out);
}

static bool failed(const struct metrics *metrics)
{
	return metrics->err.kind != ERR_NONE;
}

void metrics_family(struct metrics *metrics, const char *name, enum metrics_type type,
	const char *help)
{
	if (failed(metrics))
		return;
	metrics->family = name;
	(void)buf_printf(&metrics->out, &metrics->err, "# HELP %s %s\n# TYPE %s %s\n",
		name, help, name, type == METRICS_COUNTER ? "counter" : "gauge");
}

/* A backslash, a quote and a line end are escaped; other control characters have no form. */
static void put_value(struct metrics *metrics, const char *text)
{
	struct span left = span_str(text);

	while (left.len > 0 && !failed(metrics)) {
		size_t len = utf8_printable(left);
		const char *instead = NULL;

		if (left.data[0] == '\n')
			instead = "\\n";
		else if (left.data[0] == '"')
			instead = "\\\"";
		else if (left.data[0] == '\\')
			instead = "\\\\";
		else if (len == 0)
			instead = "\xef\xbf\xbd";
		if (instead)
			(void)buf_add_str(&metrics->out, instead, &metrics->err);
		else
			(void)buf_add(&metrics->out, left.data, len, &metrics->err);
		left = span_part(left, len > 0 ? len : 1, left.len);
	}
}

static void put_label(
	struct metrics *metrics, const char *before, const struct metrics_label *label)
{
	if (!failed(metrics))
		(void)buf_printf(
			&metrics->out, &metrics->err, "%s%s=\"", before, label->name);
	put_value(metrics, label->value);
	if (!failed(metrics))
		(void)buf_add_str(&metrics->out, "\"", &metrics->err);
}

static void put_name(struct metrics *metrics, const struct metrics_label *first,
	const struct metrics_label *second)
{
	if (!failed(metrics))
		(void)buf_add_str(&metrics->out, metrics->family, &metrics->err);
	if (!first->name)
		return;
	put_label(metrics, "{", first);
	if (second->name)
		put_label(metrics, ",", second);
	if (!failed(metrics))
		(void)buf_add_str(&metrics->out, "}", &metrics->err);
}

void metrics_number(struct metrics *metrics, struct metrics_label first,
	struct metrics_label second, uint64_t value)
{
	put_name(metrics, &first, &second);
	if (!failed(metrics))
		(void)buf_printf(&metrics->out, &metrics->err, " %" PRIu64 "\n", value);
}

void metrics_ms(struct metrics *metrics, struct metrics_label first,
	struct metrics_label second, uint64_t milliseconds)
{
	put_name(metrics, &first, &second);
	if (!failed(metrics))
		(void)buf_printf(&metrics->out, &metrics->err,
			" %" PRIu64 ".%03" PRIu64 "\n", milliseconds / MS_PER_S,
			milliseconds % MS_PER_S);
}

static int take_failure(const struct metrics *metrics, struct err *err)
{
	return err_set(err, metrics->err.kind, "%s", metrics->err.text);
}

int metrics_print(struct metrics *metrics, struct err *err)
{
	const struct buf *out = &metrics->out;

	if (failed(metrics))
		return take_failure(metrics, err);
	if (fwrite(out->data, 1, out->len, stdout) != out->len || fflush(stdout) != 0)
		return err_errno(err, ERR_AGAIN, "cannot write the output");
	return 0;
}

static int cannot(const char *path, struct err *err)
{
	return err_errno(err, file_err_kind(errno),
		"metrics-file %s cannot be written: its folder must be there, have space, and "
		"be writable for this user (in a systemd unit: ReadWritePaths=)",
		path);
}

/* Not synced: after a power cut the next one is as good. */
static int write_beside(
	const char *beside, const char *path, struct span text, struct err *err)
{
	auto_close int fd = open(beside,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		S_IRUSR | S_IWUSR);

	if (fd < 0 || fchmod(fd, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH) < 0)
		return cannot(path, err);
	if (file_write(fd, text, beside, err) < 0) {
		(void)unlink(beside);
		return cannot(path, err);
	}
	return 0;
}

int metrics_write(struct metrics *metrics, const char *path, struct err *err)
{
	auto_free char *beside = NULL;

	if (failed(metrics))
		return take_failure(metrics, err);
	/* Not a name that ends in .prom: the collector would read it half-written. */
	if (asprintf(&beside, "%s.tmp", path) < 0) {
		beside = NULL;
		return err_memory(err);
	}
	if (write_beside(beside, path, buf_span(&metrics->out), err) < 0)
		return -1;
	if (rename(beside, path) < 0) {
		int wrong = errno;

		(void)unlink(beside);
		errno = wrong;
		return cannot(path, err);
	}
	return 0;
}
