/*
 * settings: notices that the settings are to be read again: SIGHUP, or another content of the
 * settings file.
 *
 * It is the file's folder that is watched: editors and Kubernetes' ConfigMaps do not write a file
 * but rename another (or a symbolic link to its folder) over it. What happens there is gathered for
 * a moment, then the content is compared.
 */
#ifndef WATCH_SETTINGS_H
#define WATCH_SETTINGS_H

#include <uv.h>

struct settings;

/* `path` NULL or "": there is no file, SIGHUP alone counts. `changed` is called on the loop. */
struct settings *settings_new(uv_loop_t *loop, const char *path, void (*changed)(void *context),
                              void *context);
/* Run the loop once more before closing it. */
void settings_free(struct settings *settings);

#endif
