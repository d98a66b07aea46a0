/*
 * What the status page is made of: words, elements, plots, tables and cards, and what was seen of
 * late. An element is made once and then changed, so that focus, selection and what a screen reader
 * reads stay where they are. What comes from /status is put into the page as text only
 * (textContent, attributes of our own), never as HTML.
 */
export const PERIOD_MS = 2000; // from an answer to the next question
const KEPT_MS = 10 * 60 * 1000;
const SPAN_LEAST_MS = 60 * 1000; // of a plot; it grows to KEPT_MS
const SERIES_MOST = 5000; // a plot each; further ones are not kept
const ROWS_SHOWN = 12;
const CARDS_UNFILTERED = 8;

export const byId = (id) => document.getElementById(id);

// ---- words ----

export const plural = (n, one, many) => `${number(n)} ${n === 1 ? one : many || one + 's'}`;

export function number(n) {
    if (typeof n !== 'number')
        return '–';
    if (Math.abs(n) >= 1e6)
        return `${(n / 1e6).toLocaleString('en', {maximumFractionDigits: 2})} M`;
    return n.toLocaleString('en', {maximumFractionDigits: Math.abs(n) < 10 ? 1 : 0});
}

export function bytes(n) {
    const units = ['B', 'KiB', 'MiB', 'GiB'];
    let unit = 0;

    for (; n >= 1024 && unit < units.length - 1; unit++)
        n /= 1024;
    return `${number(n)} ${units[unit]}`;
}

/** "3m12s", as in the log and the options. */
export function duration(seconds) {
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

export const clock = (ms) => new Date(ms).toLocaleTimeString('en-GB');

// ---- elements ----

export function make(tag, attributes = {}, ...children) {
    const inSvg = tag === 'svg' || tag === 'path';
    const element = inSvg ? document.createElementNS('http://www.w3.org/2000/svg', tag)
                          : document.createElement(tag);

    for (const [name, value] of Object.entries(attributes))
        element.setAttribute(name, value);
    element.append(...children);
    return element;
}

export function put(element, text) {
    if (element.textContent !== String(text))
        element.textContent = text;
}

export function set(element, name, value) {
    if (element.getAttribute(name) !== value)
        element.setAttribute(name, value);
}

/** Makes a parent's children those of the items, in their order; what stays is kept. */
export function each(parent, items, keyOf, create, update) {
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

export function pill(element, text, kind) {
    put(element, text);
    set(element, 'class', `pill ${kind}`);
}

// ---- what was ----

const series = new Map(); // key -> [[time, value or null], ...], oldest first
const counters = new Map(); // key -> {at, count, rate}
const opened = Date.now();
let now = opened; // when it was asked last

export function setNow(ms) {
    now = ms;
}

const span = () => Math.min(KEPT_MS, Math.max(SPAN_LEAST_MS, now - opened));
const ofLate = () => `in the last ${duration(span() / 1000)}`;

export function remember(key, value) {
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

/** What was remembered last; null: nothing. */
export function newest(key) {
    const points = series.get(key);

    return points ? points[points.length - 1][1] : null;
}

/** Takes a counter. What it rose by, a second; null at first, and when it began anew. */
export function rate(key, count) {
    const last = counters.get(key);
    const known = last && count >= last.count && now > last.at;
    const value = known ? (count - last.count) * 1000 / (now - last.at) : null;
    counters.set(key, {at: now, count, rate: value});
    return value;
}

export const rateOf = (key) => counters.has(key) ? counters.get(key).rate : null;

export function forget() {
    for (const [key, points] of series)
        if (points[points.length - 1][0] < now - KEPT_MS)
            series.delete(key);
    for (const [key, last] of counters)
        if (last.at < now - KEPT_MS)
            counters.delete(key);
}

// ---- plots ----

const WIDTH = 600, HEIGHT = 100;

export const sparkline = () => make('svg', {viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
                                     preserveAspectRatio: 'none', role: 'img'},
                             make('path', {class: 'area'}), make('path'),
                             make('path', {class: 'limit'}));

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

export function drawSpark(svg, key, what) {
    const points = series.get(key) || [];
    const most = highest(points);

    drawLine(svg, points, most * 1.08);
    set(svg, 'aria-label', `${what} ${ofLate()}: at most ${number(most)}`);
}

export function plot() {
    const words = ['most', 'limit', 'from', 'to'].map((name) => make('span', {class: name}));

    return make('div', {class: 'plot'}, sparkline(), ...words);
}

/** limit, limitWords: a line across, where it is in sight. */
export function drawPlot(element, key, what, limit = 0, limitWords = '') {
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

/** columns: {name, of: row => text, or draw: (cell, row), number, wide}; the first is a head. */
export function table(caption, columns) {
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

export function fillTable(element, rows, keyOf) {
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
export function within(parent, create) {
    if (!parent.firstElementChild)
        parent.append(create());
    return parent.firstElementChild;
}

export const drawPill = (cell, text, kind) => pill(within(cell, () => make('span')), text, kind);

export function fillFacts(list, facts) {
    each(list, facts, ([name]) => name,
         ([name]) => {
             const term = make('dt');

             put(term, name);
             return make('div', {}, term, make('dd'));
         },
         (element, [, value]) => put(element.children[1], value));
}

/** tiles: [name, value, small words behind it, key of its series or none]. */
export function drawTiles(tiles) {
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

export function card(...content) {
    const header = make('header', {}, make('h3'), make('span'), make('p', {class: 'sum'}));

    return make('article', {}, header, make('p', {class: 'words'}), ...content);
}

export function fillCard(element, title, sum, words = '', kind = '') {
    const [header, line] = element.children;

    put(header.children[0], title);
    put(header.children[2], sum);
    put(line, words);
    set(line, 'class', `words ${kind}`);
    line.hidden = !words;
}

export const fillPill = (element, text, kind) => pill(element.children[0].children[1], text, kind);

/** With many of them, those whose name has what was typed. */
export function drawCards(items, nameOf, create, update) {
    const filter = byId('filter'), wanted = filter.querySelector('input').value.toLowerCase();

    filter.hidden = items.length <= CARDS_UNFILTERED && !wanted;
    each(byId('cards'), items.filter((item) => nameOf(item).toLowerCase().includes(wanted)),
         nameOf, create, update);
}

/** Shows the first rows, and a button for all. */
export function fewer(cardElement, rows, what) {
    const button = cardElement.lastElementChild;

    button.hidden = rows.length <= ROWS_SHOWN;
    put(button, button.all ? 'Show fewer' : `Show all ${plural(rows.length, what)}`);
    return button.all ? rows : rows.slice(0, ROWS_SHOWN);
}

export function moreButton() {
    const button = make('button', {type: 'button'});

    button.addEventListener('click', () => {
        button.all = !button.all;
        button.dispatchEvent(new Event('redraw', {bubbles: true}));
    });
    return button;
}
