/* http_loop: which sockets curl wants watched, and its one timer. See http_loop.h for the rule. */
#include "gateway/http_loop.h"

#include "base/xalloc.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROUNDS = 2 };

/* A watched socket. */
struct watch {
    uv_poll_t poll;
    struct http_loop *loop;
    curl_socket_t fd;
    int wanted;  /* UV_READABLE and UV_WRITABLE, as curl said last */
    int polled;  /* as libuv has it */
    bool opened; /* by open_socket: a connection's, not the resolver's */
    bool kept;   /* connected: watched until close_socket */
};

struct http_loop {
    CURLM *multi;
    size_t connections; /* idle ones that it keeps at most */
    uv_timer_t timer;
    uv_check_t check;
    uv_idle_t now;          /* runs while curl or collect is due: no waiting for sockets then */
    struct watch **watches; /* by file descriptor */
    size_t room;
    unsigned handles; /* libuv's that are not closed yet */
    bool touched;     /* since the last collect curl has run, or we were woken */
    bool due;         /* curl's timer has run out */
    bool stale;       /* an idle connection was closed by its peer, and curl does not know */
    void (*collect)(void *context);
    void *context;
};

/* ---- watches ---- */

static struct watch *watch_find(const struct http_loop *loop, curl_socket_t fd)
{
    return (size_t)fd < loop->room ? loop->watches[fd] : NULL;
}

static void make_room(struct http_loop *loop, size_t fd)
{
    size_t room = loop->room ? loop->room : 64;

    while (room <= fd)
        room *= 2;
    if (room == loop->room)
        return;
    loop->watches = xrealloc(loop->watches, room * sizeof(*loop->watches));
    memset(loop->watches + loop->room, 0, (room - loop->room) * sizeof(*loop->watches));
    loop->room = room;
}

/* NULL: libuv cannot poll it. */
static struct watch *watch_new(struct http_loop *loop, curl_socket_t fd, bool opened)
{
    struct watch *watch = xcalloc(1, sizeof(*watch));
    uv_loop_t *uv = loop->timer.loop;

    if (uv_poll_init_socket(uv, &watch->poll, fd)) {
        free(watch);
        return NULL;
    }
    make_room(loop, (size_t)fd);
    assert(!loop->watches[fd]);
    loop->watches[fd] = watch;
    loop->handles++;
    watch->poll.data = watch;
    watch->loop = loop;
    watch->fd = fd;
    watch->opened = opened;
    return watch;
}

static void unhold(struct http_loop *loop)
{
    if (--loop->handles)
        return;
    free(loop->watches);
    free(loop);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;

    unhold(watch->loop);
    free(watch);
}

/* Before the descriptor is closed: libuv must take it out of epoll while it is still that one. */
static void watch_end(struct watch *watch)
{
    watch->loop->watches[watch->fd] = NULL;
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static void on_socket(uv_poll_t *poll, int status, int events);

static void poll_wanted(struct watch *watch)
{
    watch->polled = watch->wanted;
    uv_poll_start(&watch->poll, watch->wanted, on_socket);
}

static bool is_connected(curl_socket_t fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);

    return getpeername(fd, (struct sockaddr *)&address, &size) == 0;
}

/* Of what nobody will tell us when it is closed, the watch ends now: the resolver's sockets, and
 * those that never got connected. One that is connected may never have waited for an answer: a fast
 * one is there when the request is sent. */
static void watch_forget(struct watch *watch)
{
    watch->wanted = 0;
    if (!watch->kept)
        watch->kept = watch->opened && is_connected(watch->fd);
    if (!watch->kept)
        watch_end(watch);
}

/* Of an idle connection only its end is waited for: curl looks for that no sooner than when it
 * wants a connection again, which may be never. What else comes (of TLS) is left to it. */
static void on_idle_socket(struct watch *watch, int events)
{
    watch->polled = 0;
    if (events & UV_DISCONNECT) {
        watch->loop->stale = true;
        uv_poll_stop(&watch->poll);
    } else {
        uv_poll_start(&watch->poll, UV_DISCONNECT, on_socket);
    }
}

/* libuv's word for an error on a socket is a stopped watcher and no event. curl is then told of
 * the events it wanted, not of an error: it finds the error itself, and first what the peer sent
 * before it. */
static void on_error(struct watch *watch)
{
    struct http_loop *loop = watch->loop;
    curl_socket_t fd = watch->fd;
    int running;

    watch->polled = 0;
    if (!watch->wanted) {
        loop->stale = true;
        return;
    }
    curl_multi_socket_action(loop->multi, fd, CURL_CSELECT_IN | CURL_CSELECT_OUT, &running);
    watch = watch_find(loop, fd); /* curl may have closed it */
    if (watch && watch->wanted && !watch->polled)
        poll_wanted(watch);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct http_loop *loop = watch->loop;
    int wanted = events & watch->wanted;
    int ready = (wanted & UV_READABLE ? CURL_CSELECT_IN : 0) |
                (wanted & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    int running;

    loop->touched = true;
    if (status < 0)
        on_error(watch);
    else if (wanted)
        curl_multi_socket_action(loop->multi, watch->fd, ready, &running);
    else if (watch->wanted)
        poll_wanted(watch);
    else
        on_idle_socket(watch, events);
}

/* ---- curl's callbacks ---- */

static int want(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
    struct http_loop *loop = context;
    struct watch *watch = watch_find(loop, fd);

    (void)easy;
    (void)unused;
    if (!watch && what == CURL_POLL_REMOVE)
        return 0;
    if (!watch)
        watch = watch_new(loop, fd, false);
    if (!watch)
        return -1;
    if (what == CURL_POLL_REMOVE) {
        watch_forget(watch);
        return 0;
    }
    watch->wanted = (what & CURL_POLL_IN ? UV_READABLE : 0) | /* bits, though an enumeration */
                    (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    if (watch->wanted & ~watch->polled)
        poll_wanted(watch);
    return 0;
}

/* curl closes a socket behind our back when its connection did not come about, and says so too late
 * or, when the next address gets the same descriptor, never. */
static int take_stale(struct http_loop *loop, curl_socket_t fd)
{
    struct watch *stale = watch_find(loop, fd);
    int wanted = stale ? stale->wanted : 0;

    if (stale)
        watch_end(stale);
    return wanted;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_loop *loop = context;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    struct watch *watch;
    int wanted;

    (void)purpose;
    if (fd < 0)
        return CURL_SOCKET_BAD;
    wanted = take_stale(loop, fd);
    watch = watch_new(loop, fd, true);
    if (!watch) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    if (wanted) {
        watch->wanted = wanted;
        poll_wanted(watch);
    }
    return fd;
}

static int close_socket(void *context, curl_socket_t fd)
{
    struct watch *watch = watch_find(context, fd);

    if (watch)
        watch_end(watch);
    return close(fd);
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* that it runs keeps the loop from waiting */
}

/* curl is to be called as soon as this turn's sockets are through, by on_check. */
static void due_now(struct http_loop *loop)
{
    loop->due = true;
    uv_idle_start(&loop->now, on_idle);
}

static void on_timer(uv_timer_t *timer)
{
    due_now(timer->data);
}

static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct http_loop *loop = context;

    (void)multi;
    uv_timer_stop(&loop->timer);
    loop->due = false;
    if (timeout_ms == 0) /* a request was added: no turn of the loop is lost on a timer */
        due_now(loop);
    else if (timeout_ms > 0)
        uv_timer_start(&loop->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

/* Behind all sockets of a turn, so that what ended together is collected together. What is sent on
 * that goes out at once, and a fast answer to it is read at once; but not for ever, the loop has
 * others to serve. */
static void on_check(uv_check_t *check)
{
    struct http_loop *loop = check->data;
    int running;

    for (int round = 0; round < ROUNDS && (loop->due || loop->touched); round++) {
        if (loop->due) {
            loop->due = false;
            curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        loop->touched = false;
        loop->collect(loop->context);
    }
    if (!loop->due && !loop->touched)
        uv_idle_stop(&loop->now);
}

/* ---- the story ---- */

static void start_handles(struct http_loop *loop, uv_loop_t *uv)
{
    uv_timer_init(uv, &loop->timer);
    uv_idle_init(uv, &loop->now);
    uv_check_init(uv, &loop->check);
    uv_check_start(&loop->check, on_check);
    uv_unref((uv_handle_t *)&loop->check);
    loop->timer.data = loop;
    loop->check.data = loop;
    loop->now.data = loop;
    loop->handles = 3;
}

static void take_multi(struct http_loop *loop, CURLM *multi)
{
    loop->multi = multi;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, want);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, loop);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)loop->connections);
}

struct http_loop *http_loop_new(uv_loop_t *uv, size_t connections, void (*collect)(void *context),
                                void *context)
{
    struct http_loop *loop;
    CURLM *multi = curl_multi_init();

    if (!multi)
        return NULL;
    loop = xcalloc(1, sizeof(*loop));
    loop->connections = connections;
    loop->collect = collect;
    loop->context = context;
    start_handles(loop, uv);
    take_multi(loop, multi);
    return loop;
}

/* curl has no call for it: so its connections end with their multi handle. */
void http_loop_drop_stale(struct http_loop *loop)
{
    CURLM *old = loop->multi, *multi = loop->stale ? curl_multi_init() : NULL;

    if (!multi)
        return;
    loop->stale = false;
    curl_multi_cleanup(old);
    set_timer(old, -1, loop);
    take_multi(loop, multi);
}

static void on_handle_closed(uv_handle_t *handle)
{
    unhold(handle->data);
}

void http_loop_free(struct http_loop *loop)
{
    curl_multi_cleanup(loop->multi); /* closes the idle connections through close_socket */
    for (size_t fd = 0; fd < loop->room; fd++)
        if (loop->watches[fd])
            watch_end(loop->watches[fd]);
    uv_close((uv_handle_t *)&loop->timer, on_handle_closed);
    uv_close((uv_handle_t *)&loop->check, on_handle_closed);
    uv_close((uv_handle_t *)&loop->now, on_handle_closed);
}

void http_loop_prepare(struct http_loop *loop, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, loop);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, loop);
}

CURLMcode http_loop_add(struct http_loop *loop, CURL *easy)
{
    return curl_multi_add_handle(loop->multi, easy);
}

void http_loop_remove(struct http_loop *loop, CURL *easy)
{
    CURLMcode code = curl_multi_remove_handle(loop->multi, easy);

    assert(!code);
    (void)code;
}

CURL *http_loop_ended(struct http_loop *loop, CURLcode *code)
{
    CURLMsg *told;
    int left;

    while ((told = curl_multi_info_read(loop->multi, &left)))
        if (told->msg == CURLMSG_DONE) {
            *code = told->data.result;
            return told->easy_handle;
        }
    return NULL;
}

/* Not by `due`: that is curl's, which takes it back when it needs no call of its own. */
void http_loop_wake(struct http_loop *loop)
{
    loop->touched = true;
    uv_idle_start(&loop->now, on_idle);
}
