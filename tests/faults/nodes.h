/*
 * nodes: a Kafka cluster of three nodes on this machine, each broker and controller in one, any of
 * which may be stopped, killed or frozen: the other two go on. Everything is kept three times.
 */
#ifndef FAULTS_NODES_H
#define FAULTS_NODES_H

#include <stdbool.h>
#include <uv.h>

enum { NODES = 3 };

struct nodes;

/* Its data and logs lie in `folder`, which exists. Returns when all nodes serve. */
struct nodes *nodes_new(uv_loop_t *loop, const char *folder);
/* Kills them. */
void nodes_free(struct nodes *nodes);

const char *nodes_bootstrap(const struct nodes *nodes);

/* Nodes are numbered from 0. A signal to one that runs: SIGTERM, SIGKILL, SIGSTOP, SIGCONT. */
void nodes_signal(struct nodes *nodes, int node, int signal);
bool nodes_runs(const struct nodes *nodes, int node);
/* Of one that does not run; returns at once. */
void nodes_start(struct nodes *nodes, int node);
/* Whether it runs and lets clients in. */
bool nodes_listens(const struct nodes *nodes, int node);

/* "DIR/2/server.log". Borrowed. */
const char *nodes_log(const struct nodes *nodes, int node);

#endif
