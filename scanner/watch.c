/* SPDX-License-Identifier: ISC */
#include "scanner/watch.h"

#include "scanner/deadline.h"
#include "scanner/signatures.h"

void watch_init(struct watch *watch, const struct settings *settings)
{
	*watch = (struct watch){ .settings = settings, .changed_since = -1 };
	buf_init(&watch->taken, SIGNATURES_STAMP_MAX);
	buf_init(&watch->seen, SIGNATURES_STAMP_MAX);
}

void watch_done(struct watch *watch)
{
	settings_free(&watch->again);
	buf_done(&watch->taken);
	buf_done(&watch->seen);
}

const struct schema_list *watch_folders(const struct watch *watch)
{
	return watch->again.path ? &watch->again.signatures
				 : &watch->settings->signatures;
}

/* The engine host reads the file anew, too. */
static void read_settings(struct watch *watch)
{
	struct settings settings;

	if (!watch->settings->path ||
		settings_load(watch->settings->path, &settings, NULL) < 0)
		return;
	settings_free(&watch->again);
	watch->again = settings;
	watch->reads++;
}

int watch_take(struct watch *watch, int64_t now, struct err *err)
{
	read_settings(watch);
	watch->changed_since = -1;
	watch->seen_since = now;
	watch->look_at = now + watch->settings->signatures_check_ms;
	buf_clear(&watch->seen);
	return signatures_stamp(watch_folders(watch), &watch->taken, err);
}

/* Other files are there than were loaded; have they settled? */
static bool has_settled(const struct watch *watch, int64_t now)
{
	return now - watch->seen_since >= WATCH_SETTLE_MS ||
	       now - watch->changed_since >= WATCH_UNSETTLED_MS;
}

int watch_turn(struct watch *watch, int64_t now, bool *changed_r, struct err *err)
{
	auto_buf struct buf stamp = { .max = SIGNATURES_STAMP_MAX };

	*changed_r = false;
	if (now < watch->look_at)
		return 0;
	watch->look_at = now + watch->settings->signatures_check_ms;
	if (signatures_stamp(watch_folders(watch), &stamp, err) < 0)
		return -1;
	if (span_equal(buf_span(&stamp), buf_span(&watch->taken))) {
		watch->changed_since = -1;
		return 0;
	}
	if (watch->changed_since < 0 ||
		!span_equal(buf_span(&stamp), buf_span(&watch->seen)))
		watch->seen_since = now;
	if (watch->changed_since < 0)
		watch->changed_since = now;
	buf_done(&watch->seen);
	watch->seen = stamp;
	buf_init(&stamp, SIGNATURES_STAMP_MAX);
	if (!has_settled(watch, now)) {
		watch->look_at = deadline_sooner(
			watch->look_at, watch->seen_since + WATCH_SETTLE_MS);
		return 0;
	}
	stamp = watch->taken;
	watch->taken = watch->seen;
	watch->seen = stamp;
	buf_init(&stamp, SIGNATURES_STAMP_MAX);
	watch->changed_since = -1;
	*changed_r = true;
	return 0;
}
