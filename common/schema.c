/* SPDX-License-Identifier: ISC */
#include "common/schema.h"

#include <confuse.h>
#include <stdio.h>
#include <string.h>

#include "common/schema_text.h"
#include "common/schema_value.h"

enum {
	/* A flag of ours in an option's flags; libconfuse 3.3 uses the lowest 14 bits. */
	FLAG_SEEN = 1 << 30,
	/* The text grows by a mark a brace and a backslash a dollar. */
	CLEAN_MAX = 12 * SCHEMA_FILE_MAX,
};

/* A value as it stands in the file. */
struct value {
	int line;
	char text[];
};

/* Where libconfuse's error function, which has no argument of ours, puts what it is told. Set
 * during one parse. */
static struct err *reported;

struct loader {
	const char *path;
	struct err *err;
};

static void value_free(void *pointer)
{
	struct value *value = pointer;

	if (value)
		explicit_bzero(value->text, strlen(value->text));
	free(value);
}

/* libconfuse has read one value: keep it with its line. An option's second statement starts
 * anew, so its first value comes while the flag of an earlier one is set. */
static int take_value(cfg_t *cfg, cfg_opt_t *opt, const char *text, void *result)
{
	size_t len = strlen(text);
	struct value *value;

	if ((opt->flags & FLAG_SEEN) && opt->nvalues == 1) {
		cfg_error(cfg, "%s: given a second time: expected once", opt->name);
		return -1;
	}
	value = malloc(sizeof(*value) + len + 1);
	if (!value) {
		(void)err_memory(reported);
		return -1;
	}
	value->line = cfg->line;
	memcpy(value->text, text, len + 1);
	opt->flags |= FLAG_SEEN;
	*(struct value **)result = value;
	return 0;
}

/* The names that may stand where an unknown one did. */
static void add_names(const cfg_t *cfg, char *text, size_t size)
{
	size_t used = strlen(text);

	for (const cfg_opt_t *opt = cfg->opts; opt->name && used < size; opt++)
		if (strcmp(opt->name, SCHEMA_MARK) != 0)
			used += (size_t)snprintf(text + used, size - used, "%s%s",
				opt == cfg->opts ? "" : ", ", opt->name);
}

/* The section that has an option of this name, or NULL. */
static const char *section_of(const cfg_t *cfg, const char *name, size_t len)
{
	for (const cfg_opt_t *opt = cfg->opts; opt->name; opt++)
		for (const cfg_opt_t *sub = opt->subopts; sub && sub->name; sub++)
			if (strlen(sub->name) == len &&
				strncmp(sub->name, name, len) == 0)
				return opt->name;
	return NULL;
}

/* Where an option that there is was meant to stand; else those that there are. */
static void add_place(const cfg_t *cfg, char *text, size_t size)
{
	const char *name = strchr(text, '\'');
	const char *end = name ? strchr(++name, '\'') : NULL;
	const char *section = end ? section_of(cfg, name, (size_t)(end - name)) : NULL;
	size_t used = strlen(text);

	if (section) {
		(void)snprintf(text + used, size - used,
			" here: expected it in a section \"%s NAME { ... }\"", section);
		return;
	}
	(void)snprintf(text + used, size - used, ": expected one of ");
	add_names(cfg, text, size);
}

/* What libconfuse's words leave out: what it expected. They are its format strings. */
static const char *expected(const char *format)
{
	static const struct {
		const char *format, *expected;
	} known[] = {
		{ "missing equal sign", "expected NAME = VALUE" },
		{ "attempt to append", "expected =" },
		{ "found duplicate title", "expected another name, or one section" },
		{ "missing title", "expected a name and \"{\" behind it" },
		{ "missing opening brace", "expected \"{\" behind its name" },
		{ "premature end", "expected a value for the last option" },
		{ "unexpected token", "expected NAME = VALUE, or NAME = { VALUE, ... }" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(format, known[i].format, strlen(known[i].format)) == 0)
			return known[i].expected;
	return NULL;
}

__attribute__((format(printf, 2, 0))) static void take_error(
	cfg_t *cfg, const char *format, va_list args)
{
	const char *more = expected(format);
	char text[ERR_TEXT_MAX];
	size_t used;

	(void)vsnprintf(text, sizeof(text), format, args);
	used = strlen(text);
	if (more)
		(void)snprintf(text + used, sizeof(text) - used, ": %s", more);
	if (strncmp(format, "no such option", 14) == 0)
		add_place(cfg, text, sizeof(text));
	(void)schema_error(reported, cfg->filename, cfg->line, "%s", text);
}

static void opts_free(cfg_opt_t *opts)
{
	for (cfg_opt_t *opt = opts; opt && opt->name; opt++)
		free(opt->subopts);
	free(opts);
}

/* libconfuse's table of ours; sections in sections are not. */
static cfg_opt_t *opts_flat(const struct schema_option *options, bool section)
{
	const cfg_opt_t end = CFG_END();
	size_t count = 0, used = 0;
	cfg_opt_t *opts;

	while (options[count].name)
		count++;
	opts = calloc(count + 2, sizeof(*opts));
	if (!opts)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const cfg_opt_t scalar = CFG_PTR_CB(
			options[i].name, NULL, CFGF_NODEFAULT, take_value, value_free);
		const cfg_opt_t list = CFG_PTR_LIST_CB(
			options[i].name, NULL, CFGF_NODEFAULT, take_value, value_free);
		const cfg_opt_t titled = CFG_SEC(options[i].name, NULL,
			CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);

		opts[used++] = options[i].type == SCHEMA_LIST      ? list
			       : options[i].type == SCHEMA_SECTION ? titled
								   : scalar;
	}
	if (section)
		opts[used++] = (cfg_opt_t)CFG_PTR_CB(
			SCHEMA_MARK, NULL, CFGF_NODEFAULT, take_value, value_free);
	opts[used] = end;
	return opts;
}

static cfg_opt_t *opts_new(const struct schema_option *options)
{
	cfg_opt_t *opts = opts_flat(options, false);

	for (size_t i = 0; opts && options[i].name; i++) {
		if (options[i].type != SCHEMA_SECTION)
			continue;
		opts[i].subopts = opts_flat(options[i].section, true);
		if (!opts[i].subopts) {
			opts_free(opts);
			return NULL;
		}
	}
	return opts;
}

static int load_value(const struct loader *loader, const struct schema_option *option,
	const struct value *value, void *settings)
{
	if (schema_value_set(option, value->text, settings, loader->err) == 0)
		return 0;
	if (loader->err->kind == ERR_FATAL)
		return -1;
	(void)err_wrap(loader->err, "%s", option->name);
	return err_wrap(loader->err, "%s:%d", loader->path, value->line);
}

static int load_option(const struct loader *loader, cfg_opt_t *opt,
	const struct schema_option *option, void *settings)
{
	unsigned count = cfg_opt_size(opt);
	const struct value *value = NULL;
	size_t items = 0;

	if (count == 0)
		return schema_value_preset(option, settings, loader->err);
	for (unsigned i = 0; i < count; i++) {
		value = cfg_opt_getnptr(opt, i);
		if (i == 0 && option->line_offset > 0)
			*(int *)schema_member(settings, option->line_offset) =
				value->line;
		if (option->type == SCHEMA_LIST && strcmp(value->text, SCHEMA_MARK) == 0)
			continue;
		if (load_value(loader, option, value, settings) < 0)
			return -1;
		items++;
	}
	if (option->type != SCHEMA_LIST ||
		schema_value_count(option, items, loader->err) == 0)
		return 0;
	(void)err_wrap(loader->err, "%s", option->name);
	return err_wrap(loader->err, "%s:%d", loader->path, value->line);
}

static int load_flat(const struct loader *loader, cfg_t *cfg,
	const struct schema_option *options, void *settings)
{
	for (; options->name; options++)
		if (options->type != SCHEMA_SECTION &&
			load_option(loader, cfg_getopt(cfg, options->name), options,
				settings) < 0)
			return -1;
	return 0;
}

static int load_section(const struct loader *loader, cfg_t *cfg,
	const struct schema_option *option, void *item)
{
	const struct value *mark = cfg_getnptr(cfg, SCHEMA_MARK, 0);
	char **title = schema_member(item, option->title_offset);

	*title = strdup(cfg_title(cfg));
	if (!*title)
		return err_memory(loader->err);
	if (option->line_offset > 0)
		*(int *)schema_member(item, option->line_offset) = mark->line;
	if (option->check && option->check(*title, loader->err) < 0) {
		(void)err_wrap(loader->err, "%s", option->name);
		return err_wrap(loader->err, "%s:%d", loader->path, mark->line);
	}
	return load_flat(loader, cfg, option->section, item);
}

static int load_sections(const struct loader *loader, cfg_t *cfg,
	const struct schema_option *option, void *settings)
{
	struct schema_sections *sections = schema_member(settings, option->offset);
	unsigned count = cfg_size(cfg, option->name);

	if (count == 0)
		return 0;
	if (count > option->max)
		return schema_error(loader->err, loader->path, 0,
			"%u sections %s: expected at most %ju", count, option->name,
			(uintmax_t)option->max);
	sections->items = calloc(count, option->item_size);
	if (!sections->items)
		return err_memory(loader->err);
	sections->count = count;
	for (unsigned i = 0; i < count; i++)
		if (load_section(loader, cfg_getnsec(cfg, option->name, i), option,
			    schema_member(sections->items, i * option->item_size)) < 0)
			return -1;
	return 0;
}

static int load_all(const struct loader *loader, cfg_t *cfg,
	const struct schema_option *options, void *settings)
{
	if (load_flat(loader, cfg, options, settings) < 0)
		return -1;
	for (; options->name; options++)
		if (options->type == SCHEMA_SECTION &&
			load_sections(loader, cfg, options, settings) < 0)
			return -1;
	return 0;
}

static int parse(cfg_t *cfg, struct buf *text, struct err *err)
{
	auto_fclose FILE *file = fmemopen(text->data, text->len, "r");
	int result;

	if (!file)
		return err_errno(err, ERR_FATAL, "cannot read the settings");
	(void)err_set(err, ERR_SETTINGS, "%s: cannot be parsed", cfg->filename);
	reported = err;
	result = cfg_parse_fp(cfg, file);
	reported = NULL;
	return result == CFG_SUCCESS ? 0 : -1;
}

static void cfg_done(cfg_t **cfg)
{
	if (*cfg)
		(void)cfg_free(*cfg);
}

static int load_text(const struct loader *loader, struct buf *text,
	const struct schema_option *options, void *settings)
{
	cfg_opt_t *opts = opts_new(options);
	DEFER(cfg_done) cfg_t *cfg = opts ? cfg_init(opts, CFGF_NONE) : NULL;

	opts_free(opts);
	if (!cfg)
		return err_memory(loader->err);
	(void)cfg_set_error_function(cfg, take_error);
	cfg->filename = strdup(loader->path);
	if (!cfg->filename)
		return err_memory(loader->err);
	if (parse(cfg, text, loader->err) < 0)
		return -1;
	if (load_all(loader, cfg, options, settings) == 0)
		return 0;
	schema_free(options, settings);
	return -1;
}

/* It may hold a password. */
static void wipe(struct buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->size);
}

int schema_load(const char *path, const struct schema_option *options, void *settings,
	struct err *err)
{
	struct err local = { 0 }; /* err may be NULL */
	struct loader loader = { .path = path, .err = err ? err : &local };
	auto_buf struct buf raw, text;
	int result;

	buf_init(&raw, SCHEMA_TEXT_RAW_MAX);
	buf_init(&text, CLEAN_MAX);
	if (!path)
		return schema_preset(options, settings, err);
	if (schema_text_read(path, &raw, loader.err) < 0)
		return -1;
	result = schema_text_clean(path, buf_span(&raw), &text, loader.err);
	if (result == 0)
		result = load_text(&loader, &text, options, settings);
	wipe(&raw);
	wipe(&text);
	return result;
}

int schema_error(struct err *err, const char *path, int line, const char *format, ...)
{
	va_list args;
	char text[ERR_TEXT_MAX];

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (line > 0)
		return err_set(err, ERR_SETTINGS, "%s:%d: %s", path, line, text);
	return err_set(err, ERR_SETTINGS, "%s: %s", path, text);
}
