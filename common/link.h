/* SPDX-License-Identifier: ISC
 *
 * A ZeroMQ socket: the only user of zmq.h. A link owns its own context, so it is opened after
 * the last fork of its process and never crosses one; use it from one thread. ZeroMQ loses
 * what a dead peer had accepted: whoever sends keeps the message until it is answered. It limits
 * a frame (frame_max) and how many messages wait, but not the frames of one message, which it
 * holds until the last has come: so who may connect at all is limited, by the mode of a socket and
 * its folder, and off this machine by keys: CURVE (RFC 26) both ways, and a list of those who may.
 * The handshakes of a bound link with keys go on while it is waited for. */
#ifndef COMMON_LINK_H
#define COMMON_LINK_H

#include <poll.h>

#include "common/buf.h"
#include "common/key.h"

struct link;

enum {
	LINK_PEER_MAX = 255,
	LINK_FRAMES_MAX = 2,
	LINK_ENDPOINT_MAX = 256,
	LINK_ENDPOINTS_MAX = 16, /* of one bound link */
	LINK_WAIT_LINKS_MAX = 16,
	LINK_WAIT_FDS_MAX = 256,
	LINK_SEND_MAX = 32,    /* messages that wait to be sent to one peer */
	LINK_RECEIVE_MAX = 16, /* messages received from one peer and not yet taken */
	LINK_CLIENT_NAME_MAX = 64,
	LINK_REFUSAL_MAX = 160,
};

/* Who may connect to a bound link over tcp. */
struct link_client {
	struct key key;                  /* the public one */
	char name[LINK_CLIENT_NAME_MAX]; /* for people */
};

/* For a link that leaves this machine. All is copied. */
struct link_keys {
	const struct key *secret; /* ours */
	const struct key *server; /* link_connect: the public key of who must be there */
	const struct link_client *clients; /* link_bind: others are refused */
	size_t client_count;
};

/* Why a connected link's last handshake failed. */
enum link_trouble {
	LINK_FINE,     /* it did not, or there was none */
	LINK_REFUSED,  /* the other end does not take our key */
	LINK_CUT,      /* the other end closed it, as it does where it has another key */
	LINK_MISMATCH, /* one end encrypts and the other does not, or it is no ZeroMQ */
};

/* Connections to a bound link that came to nothing, and messages over one that is allowed no more. */
struct link_refusals {
	uint64_t count;
	char last
		[LINK_REFUSAL_MAX]; /* why the last one did, of ours but for the address */
};

/* Who sent it, on a bound link: opaque, unique while that connection lives. */
struct link_peer {
	uint8_t id[LINK_PEER_MAX];
	size_t len;
};

/* A received message. Frames are valid until the next receive on this link or link_close. */
struct link_message {
	struct link_peer peer; /* len 0 on a connected link */
	struct span frames[LINK_FRAMES_MAX];
	size_t frame_count;
};

/* Is it "ipc:///path" (short enough for a socket) or "tcp://HOST:PORT" on loopback? Else
 * ERR_SETTINGS: unencrypted tcp is refused off loopback. HOST is 127.x.y.z, [::1] or localhost,
 * which means 127.0.0.1. */
int link_check_endpoint(const char *endpoint, struct err *err);

/* The same for a link with keys: HOST may be any host to connect to, and any address of this machine
 * to listen at. *tcp_r (may be NULL): is it encrypted then? An ipc socket is not. */
int link_check_connect(const char *endpoint, bool *tcp_r, struct err *err);
int link_check_listen(const char *endpoint, bool *tcp_r, struct err *err);

/* A new pair of keys. The caller wipes the secret one. */
int link_make_keys(struct key *secret_r, struct key *public_r, struct err *err);

/* DEALER. Returns at once; the peer need not be there, and when it has gone it is looked for again.
 * frame_max: a larger frame received ends the connection; after that, or any other breach of
 * ZeroMQ's own protocol, only a new link finds the peer again. */
int link_connect(
	const char *endpoint, size_t frame_max, struct link **link_r, struct err *err);

/* The same over tcp to any host, encrypted, and to nobody but keys->server. A peer that refuses our
 * key is not asked again: that takes a new link. */
int link_connect_keys(const char *endpoint, size_t frame_max,
	const struct link_keys *keys, struct link **link_r, struct err *err);

/* ROUTER. An ipc path is locked first (PATH.lock), so that a second instance cannot steal it
 * (ERR_AGAIN names the other's pid), and gets mode 0660; its folder is made 0750 if missing.
 * What stands at the path and is no socket is refused: ERR_SETTINGS. */
int link_bind(const char *const *endpoints, size_t count, size_t frame_max,
	struct link **link_r, struct err *err);

/* The same, and tcp endpoints may be at any address: they take encrypted connections of
 * keys->clients only. */
int link_bind_keys(const char *const *endpoints, size_t count, size_t frame_max,
	const struct link_keys *keys, struct link **link_r, struct err *err);

/* From now on these clients may connect to a link that was bound with keys, instead of those it was
 * told of before. Who may not any more is heard no more, though it is connected: what it says is
 * dropped, and counts as refused. On failure nothing changes. */
int link_allow(struct link *link, const struct link_client *clients, size_t count,
	struct err *err);

/* Forgets what was not sent yet; a socket's path is removed, its lock file stays. NULL is fine. */
void link_close(struct link *link);

/* Send without waiting. peer: NULL on a connected link. data may be {NULL, 0} with
 * has_data false for one frame. Full: ERR_AGAIN; on a connected link link_wait then also ends
 * when there is room again. Peer gone: ERR_SESSION. Bytes are copied. */
int link_send(struct link *link, const struct link_peer *peer, struct span head,
	bool has_data, struct span data, struct err *err);

/* Receive without waiting. 1: *message_r is filled; 0: nothing there. A message with more
 * than LINK_FRAMES_MAX frames is dropped whole and counts as one with frame_count 0. */
int link_receive(struct link *link, struct link_message *message_r, struct err *err);

/* Is the other end of a connected link there (ZMTP handshake done, heartbeats answered)? */
bool link_alive(struct link *link);

/* How often it has been there: a connected link connects again by itself, and what was under way
 * on the connection before is lost. */
uint64_t link_connections(struct link *link);

/* LINK_FINE while it is alive. */
enum link_trouble link_trouble(struct link *link);

/* Of a bound link, since it was opened. */
const struct link_refusals *link_refusals(const struct link *link);

/* Wait for any link to have something to receive, to gain or lose its peer, or, bound, to have been
 * connected to or refused it; or any fd its events (POLLIN, POLLOUT); up to timeout_ms (-1: for
 * ever). Fills readable[] (may be NULL) and fds[].revents. 0 also on time-out and EINTR. */
int link_wait(struct link *const *links, size_t link_count, bool *readable,
	struct pollfd *fds, size_t fd_count, int timeout_ms, struct err *err);

#endif
