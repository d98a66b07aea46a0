/*
 * The status page: reads /status every 2 s, says in one sentence what holds, and has the mode draw
 * the rest.
 */
import {PERIOD_MS, byId, clock, duration, each, forget, make, put, set, setNow} from './parts.js';
import {modes} from './modes.js';

const TIMEOUT_MS = 5000;
const TROUBLES_SHOWN = 12;

let status = null; // the last that came
let heard = 0; // when
let lostSince = 0; // when it was first not reached; 0: it is reached

function troublesOf(mode) {
    const list = [];

    if (!status.ready)
        list.push({kind: 'bad', text: `Not ready: ${status.unready_because}`});
    mode.troubles(status, (text) => list.push({kind: 'bad', text}),
                  (text) => list.push({kind: 'warn', text}));
    list.sort((a, b) => (a.kind === 'bad' ? 0 : 1) - (b.kind === 'bad' ? 0 : 1));
    return list;
}

function showTroubles(list) {
    const shown = list.slice(0, TROUBLES_SHOWN);

    if (list.length > shown.length)
        shown.push({kind: 'warn', text: `and ${list.length - shown.length} more`});
    each(byId('troubles'), [...shown.entries()], ([place]) => place, () => make('li'),
         (element, [, trouble]) => {
             put(element, trouble.text);
             set(element, 'class', trouble.kind);
         });
}

function say(kind, headline, detail) {
    set(byId('state'), 'class', kind);
    put(byId('headline'), headline);
    put(byId('detail'), detail);
    document.title = (kind === 'good' ? '' : `${headline} · `) +
                     `kafka-connector ${status ? status.mode : ''}`;
}

function sayState(mode) {
    const list = lostSince ? [] : troublesOf(mode);
    const bad = list.filter((trouble) => trouble.kind === 'bad').length;

    if (lostSince)
        say('bad', `Not reachable since ${clock(lostSince)}`,
            `Asked again every 2 s.${status ? ` What is below is of ${clock(heard)}.` : ''}`);
    else if (bad)
        say('bad', bad === 1 ? 'Something needs attention' : `${bad} things need attention`, '');
    else if (list.length)
        say('warn', 'Working, with something to know', '');
    else
        say('good', 'All is well', mode.words(status));
    showTroubles(list);
}

const unknownMode = {
    remember() {}, draw() {}, troubles() {}, words: () => 'The status as text has it all.',
};

function draw() {
    const mode = status && (modes[status.mode] || unknownMode);

    document.body.classList.toggle('old', lostSince > 0);
    sayState(mode);
    if (!status)
        return;
    put(byId('mode'), status.mode);
    put(byId('facts'), `${status.version}, up ${duration(status.uptime_seconds)}`);
    mode.draw(status);
}

async function read() {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch('status', {cache: 'no-store', signal});

    if (!answer.ok)
        throw new Error(`status ${answer.status}`);
    return answer.json();
}

/** Never two at a time: the next is asked PERIOD_MS after this one ended. */
async function turn() {
    try {
        status = await read();
        heard = Date.now();
        setNow(heard);
        lostSince = 0;
        (modes[status.mode] || unknownMode).remember(status);
        forget();
    } catch (fault) {
        setNow(Date.now());
        lostSince = lostSince || Date.now();
    }
    setTimeout(turn, PERIOD_MS);
    draw();
}

byId('filter').addEventListener('input', draw);
document.addEventListener('redraw', draw);
turn();
