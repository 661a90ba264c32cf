#include "scanner/settings.h"
#include <string.h>
#include <stdlib.h>
#define S struct settings
static const struct schema_option options[] = {
 {.name="listen",.type=SCHEMA_LIST,.offset=offsetof(S,listen),.preset="ipc:///run/mailfilter/scanner.sock",.min=1,.max=16},
 {.name="signatures",.type=SCHEMA_LIST,.offset=offsetof(S,signatures),.preset="/var/lib/clamav",.min=1,.max=16},
 {.name="workers",.type=SCHEMA_NUMBER,.offset=offsetof(S,workers),.preset="0",.max=64},
 {.name="temp_dir",.type=SCHEMA_TEXT,.offset=offsetof(S,temp_dir),.preset="/tmp/mfs"},
 {.name="message_max",.type=SCHEMA_SIZE,.offset=offsetof(S,message_max),.preset="50M",.max=1ull<<32},
 {.name="scan_timeout",.type=SCHEMA_DURATION,.offset=offsetof(S,scan_timeout_ms),.preset="30s",.min=1000,.max=600000},
 {.name="worker_jobs",.type=SCHEMA_NUMBER,.offset=offsetof(S,worker_jobs),.preset="500",.min=1,.max=100000},
 {.name="queue",.type=SCHEMA_NUMBER,.offset=offsetof(S,queue),.preset="64",.min=1,.max=10000},
 {.name="scan_size_max",.type=SCHEMA_SIZE,.offset=offsetof(S,scan_size_max),.preset="400M",.max=1ull<<32},
 {.name="file_size_max",.type=SCHEMA_SIZE,.offset=offsetof(S,file_size_max),.preset="100M",.max=1ull<<32},
 {.name="files_max",.type=SCHEMA_NUMBER,.offset=offsetof(S,files_max),.preset="10000",.max=1000000},
 {.name="recursion_max",.type=SCHEMA_NUMBER,.offset=offsetof(S,recursion_max),.preset="17",.max=100},
 {0}};
int settings_load(const char *path, struct settings *s, struct err *err){
 *s=(struct settings){0};
 if(path?schema_load(path,options,s,err):schema_preset(options,s,err)) return -1;
 if(path) s->path=strdup(path);
 s->heuristics=1;
 return 0;}
void settings_free(struct settings *s){free(s->path);schema_free(options,s);}
