/* SPDX-License-Identifier: ISC
 *
 * All that is ever said to the database but its form (record_schema.c). */
#include "mailfilter/record_private.h"

#define MESSAGE_COLUMNS                                                                  \
	"folder, uidvalidity, uid, state, action, name, quarantine_id, verdict, reason," \
	" judged, size, attempts, time_s, rule, since_s, listed_size, head,"             \
	" target, waits, signatures"
#define RESCAN_COLUMNS    "digest, since_s, position, done_s, generation, scanned, infected"
#define REPLACING_COLUMNS "name, new_name, quarantine_id, action, verdict, reason"
#define FOLDER_COLUMNS                                                                   \
	"folder, uidvalidity, done_uid, since_s, changes, began_s, passed_uid, passed_s"
/* Of one folder, and of those that are no more; the index on their keys finds them. */
#define STRAYS "folder IN (?1, '') AND uidvalidity = 0 AND stray_s > 0"
/* A UIDVALIDITY may come back, and a UID with it: the row's own number makes a name unique. */
#define STRAY_KEY "uid = uidvalidity || '.' || uid || '.' || change, uidvalidity = 0"
#define QUARANTINED_COLUMNS                                                              \
	"id, folder, uidvalidity, uid, time_s, size, why, subject, sender, hash, found"
#define QUARANTINED_SELECT                                                               \
	"SELECT " QUARANTINED_COLUMNS ", coalesce(fate, 0), coalesce(fate_s, 0), name"   \
	" FROM quarantined LEFT JOIN fate USING (id)"

const char *const record_texts[SQL_TEXTS] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_BEGIN_READING] = "BEGIN",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_FIND] = "SELECT " MESSAGE_COLUMNS " FROM message"
		     " WHERE folder = ?1 AND uidvalidity = ?2 AND uid = ?3",
	[SQL_FIND_STATE] = "SELECT state FROM message"
			   " WHERE folder = ?1 AND uidvalidity = ?2 AND uid = ?3",
	[SQL_NOTE_WAIT] =
		"UPDATE message SET attempts = attempts + 1, waits = ?4, reason = ?5,"
		" time_s = ?6 WHERE folder = ?1 AND uidvalidity = ?2 AND uid = ?3",
	[SQL_OUTLET] = "SELECT tries, time_s, reason FROM outlet WHERE folder = ?1",
	[SQL_PUT_OUTLET] = "REPLACE INTO outlet (folder, tries, time_s, reason)"
			   " VALUES (?1, ?2, ?3, ?4)",
	[SQL_DROP_OUTLET] = "DELETE FROM outlet WHERE folder = ?1",
	/* Without an index: asked for a few names after a crash, while each put would pay. */
	[SQL_IS_DELIVERED] =
		"SELECT 1 FROM message WHERE name = ?1 AND state IN (?2, ?3, ?4)"
		" LIMIT 1",
	[SQL_PUT] = "REPLACE INTO message (" MESSAGE_COLUMNS ")"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
		    " ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
	[SQL_EACH] = "SELECT " MESSAGE_COLUMNS ", change FROM message"
		     " WHERE change > ?1 AND change <= ?2 AND (1 << state) & ?3"
		     " AND (?4 IS NULL OR (folder = ?4 AND uidvalidity = ?5))"
		     " ORDER BY change LIMIT ?6",
	[SQL_LAST] = "SELECT coalesce(max(change), 0) FROM message",
	[SQL_FOLDER] = "SELECT " FOLDER_COLUMNS " FROM folder WHERE folder = ?1",
	[SQL_PUT_FOLDER] = "REPLACE INTO folder (" FOLDER_COLUMNS ")"
			   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_BEGAN] = "SELECT coalesce(min(began_s), -1) FROM folder",
	[SQL_STRAY_ALL] = "UPDATE message SET " STRAY_KEY ", stray_s = ?2"
			  " WHERE folder = ?1 AND uidvalidity > 0",
	[SQL_LOSE_ROWS] = "UPDATE message SET " STRAY_KEY ", folder = '',"
			  " stray_s = iif(stray_s > 0, stray_s, ?2) WHERE folder = ?1",
	/* The oldest row says when the account began. */
	[SQL_LOSE_FOLDER] = "DELETE FROM folder WHERE folder = ?1"
			    " AND began_s > (SELECT min(began_s) FROM folder)",
	[SQL_FOLDER_NAMES] = "SELECT folder FROM folder ORDER BY folder",
	[SQL_UNTOLD] = "SELECT count(*) FROM message WHERE folder = ?1"
		       " AND uidvalidity > 0 AND uidvalidity <> ?6 AND head = x''"
		       " AND state IN (?2, ?3, ?4, ?5)",
	[SQL_STRAYS] = "SELECT change, listed_size, head FROM message WHERE " STRAYS
		       " AND head <> x'' ORDER BY listed_size, head, change",
	[SQL_CLAIM] = "UPDATE message SET folder = ?1, uidvalidity = ?2, uid = ?3,"
		      " stray_s = 0 WHERE change = ?4",
	/* The 1 is RECORD_HELD. By itself SQLite takes the index on all keys, which all of the
	 * folder are in. */
	[SQL_HELD] = "SELECT change, uid FROM message INDEXED BY held WHERE state = 1"
		     " AND folder = ?1 AND uidvalidity = ?2 AND stray_s = 0",
	[SQL_DROP_HELD] = "DELETE FROM message WHERE change = ?1 AND state = 1",
	[SQL_DROP_STRAYS] = "DELETE FROM message WHERE " STRAYS " AND stray_s < ?2",
	[SQL_COUNT] = "SELECT state, substr(verdict, 1, 8) = 'infected', count(*)"
		      " FROM message WHERE stray_s = 0 OR state IN (4, 5) GROUP BY 1, 2",
	[SQL_RUN] = "SELECT time_s, summary FROM run",
	[SQL_SET_RUN] = "REPLACE INTO run (id, time_s, summary) VALUES (1, ?1, ?2)",
	[SQL_PUT_QUARANTINED] = "REPLACE INTO quarantined (" QUARANTINED_COLUMNS ")"
				" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
	[SQL_FIND_QUARANTINED] = QUARANTINED_SELECT " WHERE id = ?1",
	[SQL_EACH_QUARANTINED] = QUARANTINED_SELECT " WHERE id > ?1 ORDER BY id LIMIT ?2",
	[SQL_REASONS] = "SELECT state, reason, waits, count(*), min(since_s)"
			" FROM message WHERE state IN (?1, ?2) AND stray_s = 0"
			" GROUP BY 1, 2, 3 ORDER BY 4 DESC, 2 LIMIT ?3",
	[SQL_TARGETS] = "SELECT DISTINCT target FROM message"
			" WHERE state = 3 AND target <> '' ORDER BY target",
	[SQL_EACH_UID] = "SELECT " MESSAGE_COLUMNS " FROM message"
			 " WHERE uid = ?1 AND (?2 IS NULL OR folder = ?2)"
			 " ORDER BY folder, uidvalidity LIMIT ?3",
	[SQL_NOTE_UNPARKED] = "REPLACE INTO unparked (folder, uidvalidity, uid)"
			      " SELECT folder, uidvalidity, CAST(uid AS INTEGER)"
			      " FROM message WHERE state = ?1 AND uidvalidity > 0"
			      " AND (?2 IS NULL OR folder = ?2)"
			      " AND (?3 IS NULL OR uid = ?3)",
	[SQL_UNPARK] =
		"UPDATE message SET state = ?4, attempts = 0, judged = '', waits = 0,"
		" reason = ?5, time_s = ?6 WHERE state = ?1"
		" AND (?2 IS NULL OR folder = ?2) AND (?3 IS NULL OR uid = ?3)",
	[SQL_UNPARKED] = "SELECT coalesce(min(uid), 0) FROM unparked"
			 " WHERE folder = ?1 AND uidvalidity = ?2",
	[SQL_LOWER_MARK] = "UPDATE folder SET done_uid = min(done_uid, ?3)"
			   " WHERE folder = ?1 AND uidvalidity = ?2",
	[SQL_DROP_UNPARKED] = "DELETE FROM unparked WHERE folder = ?1",
	[SQL_SET_FATE] = "REPLACE INTO fate (id, fate, fate_s, name)"
			 " VALUES (?1, ?2, ?3, ?4)",
	[SQL_DROP_QUARANTINED] = "DELETE FROM quarantined WHERE id = ?1",
	[SQL_DROP_FATE] = "DELETE FROM fate WHERE id = ?1",
	/* Few are ever released: a walk over them costs less than an index for all. */
	[SQL_IS_RELEASED] = "SELECT 1 FROM fate JOIN quarantined USING (id)"
			    " WHERE fate IN (?1, ?4) AND (?2 = 0 OR size = ?2)"
			    " AND (?3 IS NULL OR hash = ?3) LIMIT 1",
	[SQL_RESCAN] = "SELECT " RESCAN_COLUMNS " FROM rescan",
	[SQL_PUT_RESCAN] = "REPLACE INTO rescan (id, " RESCAN_COLUMNS ")"
			   " VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_NEXT_DELIVERED] =
		"SELECT " MESSAGE_COLUMNS ", change FROM message WHERE change > ?1"
		" AND time_s >= ?2 AND state IN (?3, ?4)"
		" AND action BETWEEN ?5 AND ?6 ORDER BY change LIMIT 1",
	[SQL_PUT_REPLACING] = "REPLACE INTO replacing (" REPLACING_COLUMNS ")"
			      " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_FIND_REPLACING] =
		"SELECT " REPLACING_COLUMNS " FROM replacing"
		" WHERE name = ?1 OR (?1 IS NULL AND name > ?2) ORDER BY name LIMIT 1",
	[SQL_DROP_REPLACING] = "DELETE FROM replacing WHERE name = ?1",
	/* By its name alone: its key may have changed meanwhile. Few are. */
	[SQL_REPLACED] = "UPDATE message SET name = ?2, quarantine_id = ?3, action = ?4,"
			 " verdict = ?5, reason = ?6, time_s = ?7 WHERE name = ?1",
	[SQL_SUSPECTS] = "SELECT count(*) FROM message WHERE judged = ?1"
			 " AND state IN (?2, ?3, ?4) AND stray_s = 0",
	[SQL_NOTE_SUSPECT] = "REPLACE INTO unparked (folder, uidvalidity, uid)"
			     " SELECT folder, uidvalidity, CAST(uid AS INTEGER)"
			     " FROM message WHERE folder = ?1 AND uidvalidity = ?2"
			     " AND uid = ?3 AND state = ?4",
	[SQL_SUSPECT] = "UPDATE message SET state = ?5, judged = ?6, waits = ?7,"
			" reason = ?8, time_s = ?9, attempts = 0 WHERE folder = ?1"
			" AND uidvalidity = ?2 AND uid = ?3 AND state = ?4",
};
