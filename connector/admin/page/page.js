/*
 * The status page: reads /status every 2 s and shows it. What comes from there is put into the page
 * as text only (textContent, attributes of our own), never as HTML. An element is made once and
 * then changed, so that focus, selection and what a screen reader reads stay where they are.
 */
'use strict';

const PERIOD_MS = 2000;
const TIMEOUT_MS = 5000;
const KEPT_MS = 10 * 60 * 1000;
const SPAN_LEAST_MS = 60 * 1000; // of a plot; it grows to KEPT_MS
const SERIES_MOST = 5000; // a plot each; further ones are not kept
const ROWS_SHOWN = 12;
const CARDS_UNFILTERED = 8;
const TROUBLES_SHOWN = 12;

const byId = (id) => document.getElementById(id);

// ---- words ----

const plural = (n, one, many) => `${number(n)} ${n === 1 ? one : many || one + 's'}`;

function number(n) {
    if (typeof n !== 'number')
        return '–';
    if (Math.abs(n) >= 1e6)
        return `${(n / 1e6).toLocaleString('en', {maximumFractionDigits: 2})} M`;
    return n.toLocaleString('en', {maximumFractionDigits: Math.abs(n) < 10 ? 1 : 0});
}

function bytes(n) {
    const units = ['B', 'KiB', 'MiB', 'GiB'];
    let unit = 0;

    for (; n >= 1024 && unit < units.length - 1; unit++)
        n /= 1024;
    return `${number(n)} ${units[unit]}`;
}

/** "3m12s", as in the log and the options. */
function duration(seconds) {
    const parts = [[86400, 'd'], [3600, 'h'], [60, 'm'], [1, 's']];
    let text = '', left = Math.max(0, Math.floor(seconds)), shown = 0;

    for (const [size, name] of parts) {
        const n = Math.floor(left / size);

        left -= n * size;
        if (n && shown < 2)
            text += n + name;
        shown += n || shown ? 1 : 0;
    }
    return text || '0s';
}

const clock = (ms) => new Date(ms).toLocaleTimeString('en-GB');

// ---- elements ----

function make(tag, attributes = {}, ...children) {
    const inSvg = tag === 'svg' || tag === 'path';
    const element = inSvg ? document.createElementNS('http://www.w3.org/2000/svg', tag)
                          : document.createElement(tag);

    for (const [name, value] of Object.entries(attributes))
        element.setAttribute(name, value);
    element.append(...children);
    return element;
}

function put(element, text) {
    if (element.textContent !== String(text))
        element.textContent = text;
}

function set(element, name, value) {
    if (element.getAttribute(name) !== value)
        element.setAttribute(name, value);
}

/** Makes a parent's children those of the items, in their order; what stays is kept. */
function each(parent, items, keyOf, create, update) {
    const before = parent.kept || new Map();
    const kept = new Map();
    let at = parent.firstElementChild;

    for (const item of items) {
        const key = keyOf(item);
        const child = before.get(key) || create(item);

        if (kept.has(key))
            continue;
        kept.set(key, child);
        before.delete(key);
        if (child === at)
            at = at.nextElementSibling;
        else
            parent.insertBefore(child, at);
        update(child, item);
    }
    for (const gone of before.values())
        gone.remove();
    parent.kept = kept;
}

function pill(element, text, kind) {
    put(element, text);
    set(element, 'class', `pill ${kind}`);
}

// ---- what was ----

const series = new Map(); // key -> [[time, value or null], ...], oldest first
const counters = new Map(); // key -> {at, count, rate}
const opened = Date.now();
let now = opened;

const span = () => Math.min(KEPT_MS, Math.max(SPAN_LEAST_MS, now - opened));
const ofLate = () => `in the last ${duration(span() / 1000)}`;

function remember(key, value) {
    let points = series.get(key);

    if (!points) {
        if (series.size >= SERIES_MOST)
            return;
        series.set(key, points = []);
    }
    points.push([now, value >= 0 ? value : null]);
    while (points[0][0] < now - KEPT_MS)
        points.shift();
}

/** Takes a counter as it is now. What it rose by, a second; null at first, and when it began anew. */
function rate(key, count) {
    const last = counters.get(key);
    const known = last && count >= last.count && now > last.at;
    const value = known ? (count - last.count) * 1000 / (now - last.at) : null;
    counters.set(key, {at: now, count, rate: value});
    return value;
}

const rateOf = (key) => counters.has(key) ? counters.get(key).rate : null;

function forget() {
    for (const [key, points] of series)
        if (points[points.length - 1][0] < now - KEPT_MS)
            series.delete(key);
    for (const [key, last] of counters)
        if (last.at < now - KEPT_MS)
            counters.delete(key);
}

// ---- plots ----

const WIDTH = 600, HEIGHT = 100;

const sparkline = () => make('svg', {viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
                                     preserveAspectRatio: 'none', role: 'img'},
                             make('path', {class: 'area'}), make('path'), make('path', {class: 'limit'}));

/** The line breaks where nothing was known, or nobody was there to be asked. */
function drawLine(svg, points, most, limit) {
    const [area, line, across] = svg.children;
    const y = (value) => (HEIGHT - value / (most || 1) * HEIGHT).toFixed(1);
    let lines = '', areas = '', from = null, lastX = 0, lastAt = 0;

    for (const [at, value] of points) {
        const x = (WIDTH - (now - at) / span() * WIDTH).toFixed(1);
        const goesOn = from !== null && value !== null && at - lastAt < 4 * PERIOD_MS;

        if (from !== null && !goesOn) {
            areas += `V${HEIGHT}H${from}Z`;
            from = null;
        }
        if (value !== null) {
            lines += goesOn ? `L${x} ${y(value)}` : `M${x} ${y(value)}h.01`;
            areas += goesOn ? `L${x} ${y(value)}` : `M${x} ${HEIGHT}V${y(value)}`;
            from = from === null ? x : from;
        }
        [lastX, lastAt] = [x, at];
    }
    if (from !== null)
        areas += `H${lastX}V${HEIGHT}H${from}Z`;
    set(area, 'd', areas || 'M0 0');
    set(line, 'd', lines || 'M0 0');
    set(across, 'd', limit > 0 ? `M0 ${y(limit)}H${WIDTH}` : 'M0 0');
}

const highest = (points) => points.reduce((most, [, value]) => Math.max(most, value || 0), 0);

function drawSpark(svg, key, what) {
    const points = series.get(key) || [];
    const most = highest(points);

    drawLine(svg, points, most * 1.08);
    set(svg, 'aria-label', `${what} ${ofLate()}: at most ${number(most)}`);
}

function plot() {
    const words = ['most', 'limit', 'from', 'to'].map((name) => make('span', {class: name}));

    return make('div', {class: 'plot'}, sparkline(), ...words);
}

/** limit, limitWords: a line across, where it is in sight. */
function drawPlot(element, key, what, limit = 0, limitWords = '') {
    const [svg, most, across, from, to] = element.children;
    const points = series.get(key) || [];
    const reached = highest(points), top = Math.max(reached, limit);
    const inSight = limit > top / 20;

    drawLine(svg, points, top * 1.08, inSight ? limit : 0);
    set(svg, 'aria-label', `${what} ${ofLate()}: at most ${number(reached)}` +
                               (limit ? `; ${limitWords}` : ''));
    put(most, reached ? number(reached) : '');
    put(across, inSight ? limitWords : '');
    across.style.top = `${inSight ? 100 - limit / (top * 1.08) * 100 : 0}%`;
    put(from, `${duration(span() / 1000)} ago`);
    put(to, what);
}

// ---- tables, lists of facts ----

const classOf = (column) => column.number ? 'number' : column.wide ? 'wide' : '';

/** columns: {name, of: row => text, or draw: (cell, row), number, wide}; the first heads the row. */
function table(caption, columns) {
    const head = make('tr', {}, ...columns.map((column) => {
        const cell = make('th', {scope: 'col', class: classOf(column)});

        put(cell, column.name);
        return cell;
    }));
    const title = make('caption');

    put(title, caption);
    const element = make('table', {}, title, make('thead', {}, head), make('tbody'));
    element.columns = columns;
    return element;
}

function makeRow(columns) {
    return make('tr', {}, ...columns.map((column, i) => make(i ? 'td' : 'th', {
        class: classOf(column),
        'data-name': column.name,
        ...(i ? {} : {scope: 'row'}),
    })));
}

function fillTable(element, rows, keyOf) {
    const columns = element.columns;

    element.hidden = !rows.length;
    each(element.tBodies[0], rows, keyOf, () => makeRow(columns), (line, row) => {
        columns.forEach((column, i) => {
            if (column.draw)
                column.draw(line.cells[i], row);
            else
                put(line.cells[i], column.of(row));
            line.cells[i].classList.toggle('zero', i > 0 && line.cells[i].textContent === '0');
        });
    });
}

/** What a cell or another place shows once made by create. */
function within(parent, create) {
    if (!parent.firstElementChild)
        parent.append(create());
    return parent.firstElementChild;
}

const drawPill = (cell, text, kind) => pill(within(cell, () => make('span')), text, kind);

function fillFacts(list, facts) {
    each(list, facts, ([name]) => name,
         ([name]) => {
             const term = make('dt');

             put(term, name);
             return make('div', {}, term, make('dd'));
         },
         (element, [, value]) => put(element.children[1], value));
}

/** tiles: [name, value, small words behind it, key of its series or none]. */
function drawTiles(tiles) {
    each(byId('tiles'), tiles, ([name]) => name,
         ([name, , , key]) => {
             const term = make('dt');
             const value = make('dd', {}, make('span'), ' ', make('small'));

             put(term, name);
             return make('div', {}, term, value, ...(key ? [sparkline()] : []));
         },
         (element, [name, value, small, key]) => {
             put(element.children[1].children[0], value);
             put(element.children[1].children[1], small || '');
             if (key)
                 drawSpark(element.children[2], key, name);
         });
}

// ---- cards: a topic, a binding, a scaled object ----

function card(...content) {
    const header = make('header', {}, make('h3'), make('span'), make('p', {class: 'sum'}));

    return make('article', {}, header, make('p', {class: 'words'}), ...content);
}

function fillCard(element, title, sum, words = '', kind = '') {
    const [header, line] = element.children;

    put(header.children[0], title);
    put(header.children[2], sum);
    put(line, words);
    set(line, 'class', `words ${kind}`);
    line.hidden = !words;
}

const fillPill = (cardElement, text, kind) => pill(cardElement.children[0].children[1], text, kind);

/** With many of them, those whose name has what was typed. */
function drawCards(items, nameOf, create, update) {
    const filter = byId('filter'), wanted = filter.querySelector('input').value.toLowerCase();

    filter.hidden = items.length <= CARDS_UNFILTERED && !wanted;
    each(byId('cards'), items.filter((item) => nameOf(item).toLowerCase().includes(wanted)),
         nameOf, create, update);
}

/** Shows the first rows, and a button for all. */
function fewer(cardElement, rows, what) {
    const button = cardElement.lastElementChild;

    button.hidden = rows.length <= ROWS_SHOWN;
    put(button, button.all ? 'Show fewer' : `Show all ${plural(rows.length, what)}`);
    return button.all ? rows : rows.slice(0, ROWS_SHOWN);
}

function moreButton() {
    const button = make('button', {type: 'button'});

    button.addEventListener('click', () => {
        button.all = !button.all;
        draw();
    });
    return button;
}

// ---- invoke ----

const STATE_KINDS = {
    up: 'good', suspect: 'warn', away: 'bad',
    running: 'good', full: 'warn', starting: '', draining: '', aside: 'warn',
};

const kindOf = (state) => STATE_KINDS[state] || '';
const nameOfPartition = (partition) => `${partition.topic}[${partition.partition}]`;
const sum = (list, valueOf) => list.reduce((all, item) => all + Math.max(0, valueOf(item) || 0), 0);

const functionColumns = [
    {name: 'Function', draw: (cell, f) => {
        const others = f.topics.length - 1;
        const [name, hint] = within(cell, () => make('div', {}, make('span'), make('small'))).children;

        put(name, f.function);
        put(hint, !f.bound ? 'no longer in the gateway’s list'
                           : others > 0 ? ` also on ${plural(others, 'other topic')}` : '');
    }},
    {name: 'State', draw: (cell, f) => {
        if (f.paused || !f.bound)
            drawPill(cell, f.paused ? 'paused' : 'gone', 'warn');
        else
            drawPill(cell, f.state === 'up' ? 'up' : `${f.state} ${duration(f.state_seconds)}`,
                     kindOf(f.state));
    }},
    {name: 'In flight', number: true, of: (f) => number(f.in_flight)},
    {name: 'Waiting', number: true, of: (f) => number(f.pending - f.in_flight)},
    {name: 'Done', number: true, of: (f) => number(f.done)},
    {name: 'a second', number: true, of: (f) => number(rateOf(`done ${f.function}`))},
    {name: 'Retries', number: true, of: (f) => number(f.retries)},
    {name: 'Unanswered', number: true, of: (f) => number(f.unanswered)},
    {name: 'Given up', number: true, of: (f) => number(f.dropped + f.too_old + f.unbound)},
    {name: 'Dead letters', number: true, of: (f) => number(f.dead_letters)},
];

function waitsFor(partition) {
    const oldest = partition.oldest_unfinished;

    if (partition.commit_refused)
        return `commits are refused: ${partition.commit_refused}`;
    if (!oldest)
        return '';
    return `offset ${oldest.offset} for ${oldest.function}: ${oldest.because || oldest.invocation}` +
           (oldest.attempts ? ` (${plural(oldest.attempts, 'attempt')})` : '');
}

const partitionColumns = [
    {name: 'Partition', of: (p) => p.partition},
    {name: 'State', draw: (cell, p) => {
        drawPill(cell, p.paused ? 'paused' : p.state, p.paused ? 'warn' : kindOf(p.state));
    }},
    {name: 'Lag', number: true, of: (p) => p.lag < 0 ? 'not known' : number(p.lag)},
    {name: 'of late', wide: true, draw: (cell, p) => {
        const name = nameOfPartition(p);

        drawSpark(within(cell, sparkline), `lag ${name}`, `Lag of ${name}`);
    }},
    {name: 'Read ahead', number: true, of: (p) => number(p.window_fill)},
    {name: 'Committed', number: true, of: (p) => p.committed_offset < 0 ? 'nothing yet'
                                                                        : p.committed_offset},
    {name: 'Waits for', wide: true, of: waitsFor},
];

/** The topics that are subscribed to, annotated or assigned, each with what is known of it. */
function topicsOf(status) {
    const topics = new Map();
    const topic = (name) => {
        if (!topics.has(name))
            topics.set(name, {name, functions: [], partitions: []});
        return topics.get(name);
    };

    status.topics.filter((name) => !name.startsWith('^')).forEach(topic);
    for (const f of status.functions)
        for (const name of f.topics)
            topic(name).functions.push(f);
    for (const partition of status.partitions)
        topic(partition.topic).partitions.push(partition);
    const gone = status.functions.filter((f) => !f.topics.length);
    if (gone.length)
        topics.set('', {name: '', functions: gone, partitions: []});
    return [...topics.values()];
}

function topicWords(topic, paused) {
    if (paused.everything || paused.topics.includes(topic.name))
        return ['Paused by hand: nothing of it is taken or begun.', 'warn'];
    if (!topic.functions.length)
        return ['No function wants it.', 'warn'];
    if (topic.name && !topic.partitions.length)
        return ['No partition of it is this replica’s.', 'quiet'];
    return ['', ''];
}

function updateTopic(element, topic, status) {
    const [, , lag, functions, partitions] = element.children;
    const sorted = topic.partitions.slice().sort((a, b) => b.lag - a.lag || a.partition - b.partition);
    const shown = fewer(element, sorted, 'partition').sort((a, b) => a.partition - b.partition);
    const unknown = topic.partitions.filter((p) => p.lag < 0).length;

    fillCard(element, topic.name || 'No topic any more',
             topic.partitions.length ? `lag ${number(sum(topic.partitions, (p) => p.lag))}` +
                                           (unknown ? `, of ${unknown} not known` : '') : '',
             ...topicWords(topic, status.paused));
    lag.hidden = !topic.partitions.length;
    drawPlot(lag, `topic ${topic.name}`, 'Lag of all its partitions');
    fillTable(functions, topic.functions, (f) => f.function);
    fillTable(partitions, shown, (p) => p.partition);
}

function rememberInvoke(status) {
    for (const p of status.partitions)
        remember(`lag ${nameOfPartition(p)}`, p.lag);
    for (const topic of topicsOf(status))
        if (topic.partitions.length)
            remember(`topic ${topic.name}`, sum(topic.partitions, (p) => p.lag));
    for (const f of status.functions)
        rate(`done ${f.function}`, f.done);
    remember('received', rate('received', status.dispatcher.received));
    remember('done', rate('done', sum(status.functions, (f) => f.done)));
    remember('lag', sum(status.partitions, (p) => p.lag));
    remember('in flight', status.dispatcher.in_flight);
    remember('retries', rate('retries', sum(status.functions, (f) => f.retries)));
    remember('dead letters', sum(status.functions, (f) => f.dead_letters));
}

function drawInvoke(status) {
    const dispatcher = status.dispatcher, letters = status.dead_letters;
    const newest = (key) => (series.get(key) || [[0, null]]).slice(-1)[0][1];

    drawTiles([
        ['Records read', number(newest('received')), 'a second', 'received'],
        ['Calls done', number(newest('done')), 'a second', 'done'],
        ['Lag', number(newest('lag')), plural(status.partitions.length, 'partition'), 'lag'],
        ['In flight', number(dispatcher.in_flight), `of ${dispatcher.max_inflight}`, 'in flight'],
        ['Retries', number(newest('retries')), 'a second', 'retries'],
        ['Dead letters', number(newest('dead letters')),
         letters ? `to ${letters.topic}` : 'no dead_letter_topic', 'dead letters'],
        ['Gateway', status.gateway, `for ${duration(status.gateway_state_seconds)}`],
        ['Memory of records', bytes(dispatcher.buffered_bytes),
         `of ${bytes(dispatcher.max_buffered_bytes)}`],
    ]);
    drawCards(topicsOf(status), (topic) => topic.name,
              () => card(plot(), table('Functions', functionColumns),
                         table('Partitions', partitionColumns), moreButton()),
              (element, topic) => updateTopic(element, topic, status));
}

function invokeTroubles(status, bad, warn) {
    const {dispatcher, paused} = status, letters = status.dead_letters || {};

    if (status.gateway === 'away')
        bad(`The gateway has not been reached for ${duration(status.gateway_state_seconds)}: every call waits, nothing is lost.`);
    if (status.map.fault)
        bad(`The gateway’s functions cannot be read: ${status.map.fault}. ` +
            (status.map.age_seconds < 0 ? 'No record is taken before they are.'
                                        : `Those of ${duration(status.map.age_seconds)} ago hold.`));
    if (dispatcher.stalled)
        bad(dispatcher.stalled);
    if (dispatcher.commit_fault)
        bad(`Progress cannot be committed: ${dispatcher.commit_fault}`);
    if (status.group.unread && status.ready)
        bad(status.group.unread);
    if (letters.fault)
        bad(`Dead letters cannot be written: ${letters.fault}`);
    for (const f of status.functions) {
        if (f.state === 'away')
            bad(`${f.function} has been away for ${duration(f.state_seconds)}; ${plural(f.pending, 'call')} ${f.pending === 1 ? 'waits' : 'wait'} for it.`);
        if (f.held)
            bad(`${f.function}: ${plural(f.held, 'record')} ${f.held === 1 ? 'is' : 'are'} held, nothing more may be tried.`);
    }
    if (paused.everything)
        warn('Everything is paused by hand.');
    for (const name of [...paused.topics, ...paused.functions])
        warn(`${name} is paused by hand.`);
    const away = new Set(status.functions.filter((f) => f.state === 'away').map((f) => f.function));
    for (const p of status.partitions)
        if (p.commit_refused || (p.state === 'full' && p.oldest_unfinished &&
                                 !away.has(p.oldest_unfinished.function)))
            warn(`${nameOfPartition(p)}${p.commit_refused ? '' : ' is full and'} waits: ${waitsFor(p)}`);
}

function invokeWords(status) {
    const functions = status.functions.filter((f) => f.bound).length;

    return `${plural(functions, 'function')}, ${plural(status.partitions.length, 'partition')} of group ` +
           `${status.group.group} here, ${number(sum(status.partitions, (p) => p.lag))} records behind.`;
}

// ---- watch ----

const nameOfBinding = (binding) =>
    `${binding.functionName} on ${binding.topic} by ${binding.consumerGroupId}`;
const ago = (status, at) => at === null ? 'never seen' : `${duration(status.time - at)} ago`;
const awakeWords = {
    none: 'may sleep', pending: 'records wait', activity: 'was active a moment ago',
    pending_and_activity: 'records wait, and it is active',
};

function rememberWatch(status) {
    for (const binding of status.bindings)
        remember(`pending ${nameOfBinding(binding)}`, binding.pending);
    remember('pending', sum(status.bindings, (b) => b.pending));
    remember('wake-ups', sum(status.bindings, (b) => sum(Object.values(b.wakeUps), (n) => n)));
    remember('check', status.kafka.check_seconds * 1000);
}

function bindingWords(binding) {
    if (binding.wakeUpFault)
        return [`It cannot be woken: ${binding.wakeUpFault}`, 'bad'];
    if (binding.stale)
        return [`What is known is old: ${binding.stale}`, 'bad'];
    if (!binding.groupReadable)
        return ['The group may not be read (grant DESCRIBE on it): the whole log counts.', 'warn'];
    return ['', ''];
}

function bindingFacts(binding, status) {
    const total = sum(Object.values(binding.wakeUps), (n) => n);
    const kinds = Object.entries(binding.wakeUps).filter(([, n]) => n)
                      .map(([reason, n]) => `${number(n)} ${reason.replaceAll('_', ' ')}`);
    const cool = binding.lastWakeUp === null
                     ? 0 : binding.lastWakeUp + binding.cooldownSeconds - status.time;

    return [
        ['Pending', `${number(binding.pending)}; ${number(binding.minPendingMessages)} wake it`],
        ['Last activity', ago(status, binding.lastActivity)],
        ['Last wake-up', binding.wakeUpUnderWay ? 'on its way' : ago(status, binding.lastWakeUp)],
        ['Next wake-up', cool > 0 ? `not for ${duration(cool)} (cool-down)` : 'when it is due'],
        ['Wake-ups', kinds.length > 1 ? `${number(total)}: ${kinds.join(', ')}` : kinds[0] || '0'],
        ['Failed wake-ups', number(binding.wakeUpFailures)],
    ];
}

function updateBinding(element, binding, status) {
    const [, , pending, facts] = element.children;

    fillCard(element, binding.functionName, `${binding.topic}, group ${binding.consumerGroupId}`,
             ...bindingWords(binding));
    fillPill(element, awakeWords[binding.awakeBecause] || binding.awakeBecause,
             binding.awakeBecause === 'none' ? '' : 'good');
    drawPlot(pending, `pending ${nameOfBinding(binding)}`, 'Records that wait',
             binding.minPendingMessages, `${number(binding.minPendingMessages)} wake it`);
    fillFacts(facts, bindingFacts(binding, status));
}

function drawWatch(status) {
    const bindings = status.bindings, kafka = status.kafka;
    const awake = bindings.filter((b) => b.awakeBecause !== 'none').length;
    const wakeUps = sum(bindings, (b) => sum(Object.values(b.wakeUps), (n) => n));

    drawTiles([
        ['Bindings', number(bindings.length), `${awake} to be awake`],
        ['Pending', number(sum(bindings, (b) => b.pending)), 'records', 'pending'],
        ['Wake-ups', number(wakeUps),
         `${number(sum(bindings, (b) => b.wakeUpFailures))} failed`, 'wake-ups'],
        ['Last check', number(kafka.check_seconds * 1000), `ms, of ${number(kafka.checks)}`, 'check'],
    ]);
    drawCards(bindings, nameOfBinding, () => card(plot(), make('dl', {class: 'facts'})),
              (element, binding) => updateBinding(element, binding, status));
}

function watchTroubles(status, bad, warn) {
    if (status.kafka.fault && status.ready)
        bad(`Kafka cannot be read: ${status.kafka.fault}`);
    if (status.settings_fault)
        bad('The settings that were read last have faults (the log names them): those before hold.');
    for (const binding of status.bindings) {
        const [words, kind] = bindingWords(binding);

        if (words && !(status.kafka.fault && binding.stale))
            (kind === 'bad' ? bad : warn)(`${binding.functionName}: ${words}`);
    }
    if (!status.bindings.length)
        warn('There are no bindings: nothing is watched.');
}

function watchWords(status) {
    const awake = status.bindings.filter((b) => b.awakeBecause !== 'none').length;

    return `${plural(status.bindings.length, 'binding')}; ${awake || 'none'} of them to be awake, ` +
           `${number(sum(status.bindings, (b) => b.pending))} records wait.`;
}

// ---- any mode ----

const modes = {
    invoke: {remember: rememberInvoke, draw: drawInvoke, troubles: invokeTroubles, words: invokeWords},
    watch: {remember: rememberWatch, draw: drawWatch, troubles: watchTroubles, words: watchWords},
};

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
    each(byId('troubles'), shown, (trouble) => trouble.text.replace(/[\d.]+[dhms]?/g, '#') + trouble.kind,
         () => make('li'), (element, trouble) => {
             put(element, trouble.text);
             set(element, 'class', trouble.kind);
         });
}

function say(kind, headline, detail) {
    set(byId('state'), 'class', kind);
    put(byId('headline'), headline);
    put(byId('detail'), detail);
    document.title = `${kind === 'good' ? '' : `${headline} · `}kafka-connector ${status ? status.mode : ''}`;
}

function sayState(mode) {
    const list = lostSince ? [] : troublesOf(mode);
    const bad = list.filter((trouble) => trouble.kind === 'bad').length;

    if (lostSince)
        say('bad', `Not reachable since ${clock(lostSince)}`, status
            ? `Asked again every 2 s. What is below is of ${clock(heard)}.` : 'Asked again every 2 s.');
    else if (bad)
        say('bad', bad === 1 ? 'Something needs attention' : `${bad} things need attention`, '');
    else if (list.length)
        say('warn', 'Working, with something to know', '');
    else
        say('good', 'All is well', mode.words(status));
    showTroubles(list);
}

function draw() {
    const mode = status && (modes[status.mode] || {troubles() {}, words: () => 'See the status as text.'});

    document.body.classList.toggle('old', lostSince > 0);
    sayState(mode);
    if (!status)
        return;
    put(byId('mode'), status.mode);
    put(byId('facts'), `${status.version}, up ${duration(status.uptime_seconds)}`);
    if (mode.draw)
        mode.draw(status);
}

async function read() {
    const answer = await fetch('status', {cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS)});

    if (!answer.ok)
        throw new Error(`status ${answer.status}`);
    return answer.json();
}

/** Never two at a time: the next is asked PERIOD_MS after this one ended. */
async function turn() {
    try {
        status = await read();
        heard = now = Date.now();
        lostSince = 0;
        if (modes[status.mode])
            modes[status.mode].remember(status);
        forget();
    } catch (fault) {
        now = Date.now();
        lostSince = lostSince || now;
    }
    setTimeout(turn, PERIOD_MS);
    draw();
}

byId('filter').querySelector('input').addEventListener('input', draw);
turn();
