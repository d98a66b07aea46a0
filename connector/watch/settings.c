/* settings: see settings.h. */
#include "watch/settings.h"

#include "base/file.h"
#include "base/log.h"
#include "base/xalloc.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { GATHER_MS = 200, FILE_LIMIT = 1 << 20 };

struct settings {
    char *path;    /* NULL: none */
    char *content; /* as it was last read; NULL: it could not be */
    uv_signal_t hangup;
    uv_fs_event_t folder;
    uv_timer_t gather;
    int handles; /* not closed yet */
    void (*changed)(void *context);
    void *context;
};

static char *read_content(const struct settings *settings)
{
    const char *reason;

    return settings->path ? file_read(settings->path, FILE_LIMIT, NULL, &reason) : NULL;
}

/* True: the content is another. */
static bool look(struct settings *settings)
{
    char *now = read_content(settings);
    bool same =
        now && settings->content ? strcmp(now, settings->content) == 0 : now == settings->content;

    free(settings->content);
    settings->content = now;
    return !same;
}

static void on_hangup(uv_signal_t *signal, int number)
{
    struct settings *settings = signal->data;

    (void)number;
    look(settings);
    settings->changed(settings->context);
}

static void on_gathered(uv_timer_t *timer)
{
    struct settings *settings = timer->data;

    if (look(settings))
        settings->changed(settings->context);
}

static void on_folder_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct settings *settings = event->data;

    (void)name, (void)events, (void)status;
    uv_timer_start(&settings->gather, on_gathered, GATHER_MS, 0);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return xstrdup(".");
    return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

static void watch_folder(struct settings *settings)
{
    char *folder = folder_of(settings->path);
    int error = uv_fs_event_start(&settings->folder, on_folder_event, folder, 0);

    if (error)
        log_warning(NULL, "Changes of %s are not noticed (%s): send SIGHUP", settings->path,
                    uv_strerror(error));
    free(folder);
}

struct settings *settings_new(uv_loop_t *loop, const char *path, void (*changed)(void *context),
                              void *context)
{
    struct settings *settings = xcalloc(1, sizeof(*settings));

    settings->path = path && *path ? xstrdup(path) : NULL;
    settings->changed = changed;
    settings->context = context;
    settings->handles = 3;
    settings->hangup.data = settings->folder.data = settings->gather.data = settings;
    settings->content = read_content(settings);
    uv_signal_init(loop, &settings->hangup);
    uv_fs_event_init(loop, &settings->folder);
    uv_timer_init(loop, &settings->gather);
    uv_signal_start(&settings->hangup, on_hangup, SIGHUP);
    if (settings->path)
        watch_folder(settings);
    return settings;
}

static void on_closed(uv_handle_t *handle)
{
    struct settings *settings = handle->data;

    if (--settings->handles)
        return;
    free(settings->content);
    free(settings->path);
    free(settings);
}

void settings_free(struct settings *settings)
{
    if (!settings)
        return;
    uv_close((uv_handle_t *)&settings->hangup, on_closed);
    uv_close((uv_handle_t *)&settings->folder, on_closed);
    uv_close((uv_handle_t *)&settings->gather, on_closed);
}
