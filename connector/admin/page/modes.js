/*
 * What the status page shows of each mode; the shapes are /status's. At the end the table of modes.
 */
import {bytes, card, duration, drawCards, drawPill, drawPlot, drawSpark, drawTiles, fewer, fillCard,
        fillFacts, fillPill, fillTable, make, moreButton, newest, number, plot, plural, put,
        rate, rateOf, remember, sparkline, table, within} from './parts.js';

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
        const both = within(cell, () => make('div', {}, make('span'), make('small')));
        const also = others > 0 ? ` also on ${plural(others, 'other topic')}` : '';

        put(both.children[0], f.function);
        put(both.children[1], f.bound ? also : 'no longer in the gateway’s list');
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
    {name: 'Errors', number: true, of: (f) => number(f.answers['4xx'] + f.answers['5xx'])},
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
    return `offset ${oldest.offset} for ${oldest.function}: ` +
           `${oldest.because || oldest.invocation}` +
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

/** Of many the ones that are furthest behind, in their order. */
function shownPartitions(element, partitions) {
    const behind = (a, b) => b.lag - a.lag || a.partition - b.partition;

    return fewer(element, partitions.slice().sort(behind), 'partition')
        .sort((a, b) => a.partition - b.partition);
}

function updateTopic(element, topic, status) {
    const [, , lag, functions, partitions] = element.children;
    const unknown = topic.partitions.filter((p) => p.lag < 0).length;

    fillCard(element, topic.name || 'No topic any more',
             topic.partitions.length ? `lag ${number(sum(topic.partitions, (p) => p.lag))}` +
                                           (unknown ? `, of ${unknown} not known` : '') : '',
             ...topicWords(topic, status.paused));
    lag.hidden = !topic.partitions.length;
    drawPlot(lag, `topic ${topic.name}`, 'Lag of all its partitions');
    fillTable(functions, topic.functions, (f) => f.function);
    fillTable(partitions, shownPartitions(element, topic.partitions), (p) => p.partition);
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

function gatewayTroubles(status, bad) {
    if (status.gateway === 'away')
        bad(`The gateway has not been reached for ${duration(status.gateway_state_seconds)}: ` +
            'every call waits, nothing is lost.');
    if (status.map.fault)
        bad(`The gateway’s functions cannot be read: ${status.map.fault}. ` +
            (status.map.age_seconds < 0
                 ? 'No record is taken before they are.'
                 : `Those of ${duration(status.map.age_seconds)} ago hold.`));
}

const ERRORS_FEW = 5; // answers, before which nothing is said of a function

/** What is away is told with that. An error that ends its call is done, and is told nowhere else. */
function answersMostlyErrors(f) {
    const {of_late: answers, errors_of_late: errors} = f.answers;

    return f.state !== 'away' && answers >= ERRORS_FEW && errors > answers / 2;
}

function functionTroubles(f, bad, warn) {
    const owed = plural(f.pending, 'call waits', 'calls wait');
    const held = plural(f.held, 'record is', 'records are');

    if (f.state === 'away')
        bad(`${f.function} has been away for ${duration(f.state_seconds)}; ${owed} for it.`);
    if (f.held)
        bad(`${f.function}: ${held} held, nothing more may be tried.`);
    if (answersMostlyErrors(f))
        warn(`${f.function}: ${number(f.answers.errors_of_late)} of its last ` +
             `${number(f.answers.of_late)} answers are errors (status 4xx or 5xx).`);
}

/** What waits for a function that is away is told with that. */
function partitionTroubles(status, warn) {
    const away = new Set(status.functions.filter((f) => f.state === 'away').map((f) => f.function));

    for (const p of status.partitions) {
        const full = p.state === 'full' && p.oldest_unfinished &&
                     !away.has(p.oldest_unfinished.function);

        if (p.commit_refused)
            warn(`${nameOfPartition(p)}: ${waitsFor(p)}`);
        else if (full)
            warn(`${nameOfPartition(p)} is full and waits: ${waitsFor(p)}`);
    }
}

function invokeTroubles(status, bad, warn) {
    const {dispatcher, paused} = status, letters = status.dead_letters || {};

    gatewayTroubles(status, bad);
    if (dispatcher.stalled)
        bad(dispatcher.stalled);
    if (dispatcher.commit_fault)
        bad(`Progress cannot be committed: ${dispatcher.commit_fault}`);
    if (status.group.unread && status.ready)
        bad(status.group.unread);
    if (letters.fault)
        bad(`Dead letters cannot be written: ${letters.fault}`);
    for (const f of status.functions)
        functionTroubles(f, bad, warn);
    if (paused.everything)
        warn('Everything is paused by hand.');
    for (const name of [...paused.topics, ...paused.functions])
        warn(`${name} is paused by hand.`);
    partitionTroubles(status, warn);
}

function invokeWords(status) {
    const functions = status.functions.filter((f) => f.bound).length;

    return `${plural(functions, 'function')}, ${plural(status.partitions.length, 'partition')} ` +
           `of group ${status.group.group} here, ` +
           `${number(sum(status.partitions, (p) => p.lag))} records behind.`;
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
        ['Last check', number(kafka.check_seconds * 1000), `ms, of ${number(kafka.checks)}`,
         'check'],
    ]);
    drawCards(bindings, nameOfBinding, () => card(plot(), make('dl', {class: 'facts'})),
              (element, binding) => updateBinding(element, binding, status));
}

function watchTroubles(status, bad, warn) {
    if (status.kafka.fault && status.ready)
        bad(`Kafka cannot be read: ${status.kafka.fault}`);
    if (status.settings_fault)
        bad('The settings read last have faults, which the log names: those before hold.');
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

    return `${plural(status.bindings.length, 'binding')}; ${awake || 'none'} to be awake, ` +
           `${number(sum(status.bindings, (b) => b.pending))} records wait.`;
}

// ---- scale ----

/** Two triggers of one ScaledObject have the same name. */
const nameOfObject = (object) =>
    `${titleOfObject(object)} ${object.consumerGroup} ${object.topic} ${object.cluster}`;
const titleOfObject = (object) =>
    object.name ? `${object.namespace}/${object.name}` : 'The object without metadata';

const REASON_KINDS = {
    away: 'bad', recovering: 'warn',
    calm: '', short: '', draining: '', excluded: '', waiting: 'warn', lingering: 'good',
    sustained: 'good', stuck: 'warn', held: 'good',
};

/** What the reason's one word does not say by itself. */
const REASON_WORDS = {short: 'not lasting yet', keda: 'KEDA’s arithmetic'};

function rememberScale(status) {
    for (const object of status.objects)
        remember(`highest ${nameOfObject(object)}`, object.found.highestLag);
    remember('lag', sum(status.objects, (object) => object.found.lag));
    remember('active', status.objects.filter((object) => object.verdict.active).length);
    remember('sample', Math.max(0, ...status.clusters.map((c) => c.sampleSeconds)) * 1000);
}

/** How much of sustainSeconds the longest stretch over the threshold has come to; when nothing is
 * over, the verdict says so. */
function drawStretch(element, object) {
    const [words, gauge] = element.children;
    const stretch = object.found.longestStretchSeconds, sustain = object.verdict.sustainSeconds;
    const over = stretch >= 0;

    put(words, over ? `Over ${number(object.verdict.target)} for ${duration(stretch)}` +
                          (sustain ? `; ${duration(sustain)} make it last` : '')
                    : '');
    gauge.classList.toggle('full', over && stretch >= sustain);
    gauge.firstElementChild.style.width =
        `${over ? Math.min(100, sustain ? stretch / sustain * 100 : 100) : 0}%`;
}

function objectFacts(object) {
    const {found, verdict} = object;
    const kinds = ['over', 'sustained', 'draining', 'stuck', 'unknown']
                      .filter((kind) => found[kind])
                      .map((kind) => `${number(found[kind])} ${kind}`);
    const told = `${verdict.active ? 'active' : 'not active'}, value ${number(verdict.value)}`;
    const replicas = Math.ceil(verdict.value / verdict.target);

    return [
        ['Told to KEDA', verdict.known ? told : 'ask again (unavailable)'],
        ['Replicas called for', verdict.known ? number(replicas) : '–'],
        ['Lag', number(found.lag)],
        ['Highest of a partition', number(found.highestLag)],
        ['Partitions', `${number(found.partitions)}${kinds.length ? `: ${kinds.join(', ')}` : ''}`],
        ['Cluster', object.cluster],
    ];
}

function updateObject(element, object) {
    const [, , lag, stretch, facts] = element.children, verdict = object.verdict;

    fillCard(element, titleOfObject(object),
             `${object.topic || 'all topics'}, group ${object.consumerGroup}`, verdict.because,
             REASON_KINDS[verdict.reason] === 'bad' ? 'bad' : '');
    const reason = REASON_WORDS[verdict.reason] || verdict.reason;

    fillPill(element, verdict.known ? reason : `no answer: ${reason}`,
             REASON_KINDS[verdict.reason] || '');
    drawPlot(lag, `highest ${nameOfObject(object)}`, 'Highest lag of a partition', verdict.target,
             `threshold ${number(verdict.target)}`);
    drawStretch(stretch, object);
    fillFacts(facts, objectFacts(object));
}

function drawScale(status) {
    const {objects, clusters} = status;
    const silent = objects.filter((object) => !object.verdict.known).length;
    const away = clusters.filter((cluster) => cluster.fault).length;

    drawTiles([
        ['Scaled objects', number(objects.length + status.objectsLeftOff),
         `${objects.filter((o) => o.verdict.active).length} active`, 'active'],
        ['Without an answer', number(silent), ''],
        ['Lag', number(sum(objects, (object) => object.found.lag)), 'in all', 'lag'],
        ['Last sample', number(Math.max(0, ...clusters.map((c) => c.sampleSeconds)) * 1000),
         `ms, ${plural(clusters.length, 'cluster')}${away ? `, ${away} away` : ''}`, 'sample'],
    ]);
    drawCards(objects, nameOfObject,
              () => card(plot(), make('div', {class: 'stretch'}, make('p'),
                                      make('div', {class: 'gauge'}, make('i'))),
                         make('dl', {class: 'facts'})), updateObject);
}

function scaleTroubles(status, bad, warn) {
    for (const cluster of status.clusters)
        if (cluster.fault)
            bad(`Cluster ${cluster.cluster} cannot be read: ${cluster.fault}`);
    for (const {verdict, ...object} of status.objects) {
        const tell = verdict.known || verdict.reason === 'recovering' ? warn : bad;
        const silent = verdict.known ? '' : ' has no answer';

        if (silent || REASON_KINDS[verdict.reason] === 'warn')
            tell(`${titleOfObject(object)}${silent}: ${verdict.because}`);
    }
    if (status.objectsLeftOff)
        warn(`${plural(status.objectsLeftOff, 'scaled object')} more than are shown.`);
}

function scaleWords(status) {
    const active = status.objects.filter((object) => object.verdict.active).length;

    return status.objects.length
               ? `${plural(status.objects.length, 'scaled object')}, ${active || 'none'} active.`
               : 'Nobody has asked about a scaled object yet.';
}

/** remember: keeps of a status what is plotted; draw: shows it; troubles: tells what is wrong, one
 * sentence a call; words: what holds when nothing is. */
export const modes = {
    invoke: {
        remember: rememberInvoke, draw: drawInvoke, troubles: invokeTroubles, words: invokeWords,
    },
    watch: {remember: rememberWatch, draw: drawWatch, troubles: watchTroubles, words: watchWords},
    scale: {remember: rememberScale, draw: drawScale, troubles: scaleTroubles, words: scaleWords},
};
