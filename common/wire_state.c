/* SPDX-License-Identifier: ISC */
#include "common/wire_state.h"

void wire_state_pack(struct pack *pack, const struct wire_state *state)
{
	pack_u8(pack, (uint8_t)state->state);
	pack_u64(pack, state->session);
	pack_u64(pack, state->generation);
	pack_u64(pack, state->message_max);
	pack_u64(pack, state->signatures);
	pack_u64(pack, (uint64_t)state->dated_s);
	pack_u32(pack, state->jobs);
	pack_u32(pack, state->workers);
	pack_u32(pack, state->busy);
	pack_u32(pack, state->queued);
	pack_u64(pack, state->lookups);
	pack_u64(pack, state->hits);
	health_pack(pack, &state->health);
	checks_pack(pack, &state->checks);
	swept_pack(pack, &state->swept);
	pack_bytes(pack, state->digest.bytes, HASH_SIZE);
	pack_text(pack, state->engine, sizeof(state->engine));
	pack_text(pack, state->unprotected, sizeof(state->unprotected));
	pack_text(pack, state->trouble, sizeof(state->trouble));
}

void wire_state_unpack(struct unpack *unpack, struct wire_state *state)
{
	unsigned value = unpack_u8(unpack);

	unpack_expect(unpack, value >= WIRE_LOADING && value <= WIRE_STOPPING,
		"its state is unknown");
	state->state = unpack->wrong ? WIRE_LOADING : (enum wire_scanner_state)value;
	state->session = unpack_u64(unpack);
	state->generation = unpack_u64(unpack);
	state->message_max = unpack_u64(unpack);
	state->signatures = unpack_u64(unpack);
	state->dated_s = unpack_time(unpack, INT64_MAX, "its signatures have no date");
	state->jobs = unpack_u32(unpack);
	state->workers = unpack_u32(unpack);
	state->busy = unpack_u32(unpack);
	state->queued = unpack_u32(unpack);
	state->lookups = unpack_u64(unpack);
	state->hits = unpack_u64(unpack);
	health_unpack(unpack, &state->health);
	checks_unpack(unpack, &state->checks);
	swept_unpack(unpack, &state->swept);
	unpack_bytes(unpack, state->digest.bytes, HASH_SIZE);
	unpack_text(unpack, state->engine, sizeof(state->engine));
	unpack_text(unpack, state->unprotected, sizeof(state->unprotected));
	unpack_text(unpack, state->trouble, sizeof(state->trouble));
}
