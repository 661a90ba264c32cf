/* SPDX-License-Identifier: ISC */
#include "common/allow.h"

#include <stdio.h>
#include <string.h>

void allow_done(struct allow *allow)
{
	free(allow->hashes);
	free(allow->names);
	*allow = (struct allow){ 0 };
}

static const char twice[] = "it allows one thing twice";

/* As in a log line: no blanks, nothing to escape. */
static bool is_name(const char *name)
{
	size_t len = strnlen(name, FINDING_SIGNATURE_MAX);

	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	return len > 0 && len < FINDING_SIGNATURE_MAX;
}

bool allow_has_hash(const struct allow *allow, const struct hash *hash)
{
	for (size_t i = 0; i < allow->hash_count; i++)
		if (hash_equal(&allow->hashes[i], hash))
			return true;
	return false;
}

static bool has_name(const struct allow *allow, const char *name, size_t len)
{
	for (size_t i = 0; i < allow->name_count; i++)
		if (strlen(allow->names[i]) == len &&
			memcmp(allow->names[i], name, len) == 0)
			return true;
	return false;
}

bool allow_has_name(const struct allow *allow, const char *name)
{
	static const char unofficial[] = ".UNOFFICIAL";
	const size_t tail = sizeof(unofficial) - 1;
	size_t len = strlen(name);

	if (has_name(allow, name, len))
		return true;
	return len > tail && strcmp(name + len - tail, unofficial) == 0 &&
	       has_name(allow, name, len - tail);
}

int allow_add_hash(struct allow *allow, const struct hash *hash, struct err *err)
{
	struct hash *hashes;

	if (allow_has_hash(allow, hash))
		return 0;
	if (allow->hash_count == ALLOW_HASHES_MAX)
		return err_set(err, ERR_MESSAGE, "more than %d SHA-256 sums to allow",
			ALLOW_HASHES_MAX);
	hashes = reallocarray(allow->hashes, allow->hash_count + 1, sizeof(*hashes));
	if (!hashes)
		return err_memory(err);
	hashes[allow->hash_count++] = *hash;
	allow->hashes = hashes;
	return 0;
}

int allow_add_name(struct allow *allow, const char *name, struct err *err)
{
	char(*names)[FINDING_SIGNATURE_MAX];

	if (!is_name(name))
		return err_set(err, ERR_MESSAGE,
			"a name to allow is not 1 to %d printable characters",
			FINDING_SIGNATURE_MAX - 1);
	if (has_name(allow, name, strlen(name)))
		return 0;
	if (allow->name_count == ALLOW_NAMES_MAX)
		return err_set(err, ERR_MESSAGE, "more than %d signatures to allow",
			ALLOW_NAMES_MAX);
	names = reallocarray(allow->names, allow->name_count + 1, sizeof(*names));
	if (!names)
		return err_memory(err);
	(void)snprintf(names[allow->name_count++], sizeof(*names), "%s", name);
	allow->names = names;
	return 0;
}

int allow_add(struct allow *allow, const struct allow *other, struct err *err)
{
	for (size_t i = 0; i < other->hash_count; i++)
		if (allow_add_hash(allow, &other->hashes[i], err) < 0)
			return -1;
	for (size_t i = 0; i < other->name_count; i++)
		if (allow_add_name(allow, other->names[i], err) < 0)
			return -1;
	return 0;
}

int allow_check_hash(const char *value, struct err *err)
{
	struct hash hash;

	if (hash_parse(value, &hash))
		return 0;
	return err_set(err, ERR_SETTINGS,
		"\"%.80s\": expected a SHA-256 sum, %d hexadecimal digits, as sha256sum "
		"prints it and the log shows it",
		value, HASH_TEXT_MAX - 1);
}

int allow_check_name(const char *value, struct err *err)
{
	static const char *const unseen[] = { "Heuristics.Limits.",
		"Heuristics.Encrypted." };

	if (!is_name(value))
		return err_set(err, ERR_SETTINGS,
			"\"%.80s\": expected the name of a signature as the log shows it, at "
			"most %d characters without a blank",
			value, FINDING_SIGNATURE_MAX - 1);
	for (size_t i = 0; i < sizeof(unseen) / sizeof(*unseen); i++)
		if (strncmp(value, unseen[i], strlen(unseen[i])) == 0)
			return err_set(err, ERR_SETTINGS,
				"\"%.80s\" says that something was not looked at: expected the "
				"name of a signature; see on-unscannable and on-encrypted",
				value);
	return 0;
}

void allow_pack(struct pack *pack, const struct allow *allow)
{
	if (allow->hash_count > ALLOW_HASHES_MAX || allow->name_count > ALLOW_NAMES_MAX) {
		pack_refuse(pack, "it allows too much");
		return;
	}
	pack_u16(pack, (uint16_t)allow->hash_count);
	for (size_t i = 0; i < allow->hash_count; i++)
		pack_bytes(pack, allow->hashes[i].bytes, HASH_SIZE);
	pack_u16(pack, (uint16_t)allow->name_count);
	for (size_t i = 0; i < allow->name_count; i++)
		pack_text(pack, allow->names[i], sizeof(*allow->names));
}

static int unpack_names(struct unpack *unpack, struct allow *allow, struct err *err)
{
	size_t count = unpack_u16(unpack);

	unpack_expect(unpack, count <= ALLOW_NAMES_MAX, "it allows too many signatures");
	for (size_t i = 0; i < count && !unpack->wrong; i++) {
		char name[FINDING_SIGNATURE_MAX];

		unpack_text(unpack, name, sizeof(name));
		unpack_expect(unpack, is_name(name), "it allows what is no name");
		unpack_expect(unpack, !has_name(allow, name, strlen(name)), twice);
		if (!unpack->wrong && allow_add_name(allow, name, err) < 0)
			return -1;
	}
	return 0;
}

int allow_unpack(struct unpack *unpack, struct allow *allow_r, struct err *err)
{
	size_t count = unpack_u16(unpack);

	*allow_r = (struct allow){ 0 };
	unpack_expect(unpack, count <= ALLOW_HASHES_MAX, "it allows too many hashes");
	for (size_t i = 0; i < count && !unpack->wrong; i++) {
		struct hash hash;

		unpack_bytes(unpack, hash.bytes, HASH_SIZE);
		unpack_expect(unpack, !allow_has_hash(allow_r, &hash), twice);
		if (!unpack->wrong && allow_add_hash(allow_r, &hash, err) < 0)
			return -1;
	}
	return unpack_names(unpack, allow_r, err);
}
