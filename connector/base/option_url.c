/*
 * option_url: whether a text is an URL we can call. Checked at start-up, because libcurl would say
 * so only at the first call, long after whoever wrote it went home.
 */
#include "base/option_private.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool has_blank_or_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return true;
    return false;
}

/* What stands behind "http://" or "https://", or NULL. */
static const char *behind_scheme(const char *url)
{
    if (strncasecmp(url, "http://", 7) == 0)
        return url + 7;
    return strncasecmp(url, "https://", 8) == 0 ? url + 8 : NULL;
}

/* Where the host ends: behind "]" of an IPv6 address, else at ":" or the end. */
static const char *behind_host(const char *host, const char *end)
{
    char stop = *host == '[' ? ']' : ':';
    const char *found = memchr(host, stop, (size_t)(end - host));
    return found ? found + (stop == ']') : end;
}

static bool is_port(const char *text, const char *end)
{
    int port = 0;
    for (; text < end && isdigit((unsigned char)*text) && port <= 65535; text++)
        port = port * 10 + (*text - '0');
    return text == end && port >= 1 && port <= 65535;
}

static bool is_ascii(const char *text, const char *end)
{
    while (text < end && (unsigned char)*text < 0x80)
        text++;
    return text == end;
}

const char *option_url_fault(const char *url)
{
    const char *authority = behind_scheme(url);
    if (!authority) {
        return strstr(url, "://") ? "has another scheme; it must begin with http:// or https://"
                                  : "has no scheme; it must begin with http:// or https://";
    }
    if (has_blank_or_control(url))
        return "holds a blank or a control character";
    const char *end = authority + strcspn(authority, "/?#");
    if (memchr(authority, '@', (size_t)(end - authority))) /* URLs are logged */
        return "has a user or password in it; they are given by options of their own";
    const char *port = behind_host(authority, end);
    if (port == authority)
        return "names no host";
    if (!is_ascii(authority, end)) /* the Host header is ours, and goes out as it is written */
        return "names a host that is not ASCII; write the form of it that begins with xn--";
    if (port < end && (*port != ':' || !is_port(port + 1, end)))
        return "has a port that is not 1 to 65535";
    return NULL;
}
