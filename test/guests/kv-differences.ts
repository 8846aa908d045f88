// What the key-value guest is known to answer differently from Redis 7. The model test leaves it out or compares it
// loosely, and docs/kv-commands.md prints it.

export interface Difference {
  readonly of: string
  readonly here: string
  readonly redis: string
}

export const DIFFERENCES: readonly Difference[] = [
  { of: 'KEYS, SCAN', here: 'an order of its own', redis: 'another one' },
  {
    of: 'SCAN',
    here: 'a cursor is at most 4294967295; each key that stays is seen exactly once',
    redis: 'a cursor has 64 bits; a key may be seen twice',
  },
  {
    of: 'patterns',
    here: '`*`, `?` and the backslash; at most 1024 bytes',
    redis: 'classes such as `[a-z]` too',
  },
  {
    of: 'the key without letters',
    here: 'any run of stars matches it',
    redis: 'only the pattern `*` and the empty one do',
  },
  {
    of: 'DBSIZE',
    here: 'never counts a key that has expired',
    redis: 'counts it until it is erased',
  },
  { of: 'SELECT', here: 'one database, 0', redis: '16' },
  { of: 'HELLO', here: 'protocol 2, no AUTH', redis: 'protocol 3 too, and AUTH' },
  {
    of: 'CLIENT',
    here: 'GETNAME, SETNAME (64 bytes), ID, INFO, LIST, NO-EVICT, and NO-TOUCH and SETINFO as in 7.2',
    redis: 'more of them, but not the last two before 7.2',
  },
  {
    of: 'COMMAND',
    here: 'a list that is always empty, for DOCS, INFO and LIST as well; COUNT',
    redis: 'all commands',
  },
  {
    of: 'CONFIG',
    here: 'GET of save, appendonly and maxmemory; SET accepts anything and changes nothing',
    redis: 'all settings',
  },
  {
    of: 'HELLO, INFO, CLIENT INFO, CLIENT LIST',
    here: 'what there is to tell',
    redis: 'many more fields',
  },
  { of: 'TIME', here: 'whole milliseconds', redis: 'microseconds' },
  {
    of: 'a request',
    here: 'at most 1024 arguments, 512 KiB each and 1 MiB in all; a value has at most 1 MiB',
    redis: 'a million arguments, 512 MiB',
  },
  {
    of: 'a transaction',
    here:
      'at most 65536 commands and 4 MiB, 16 MiB of all clients; EXECABORT, and nothing is done, where EXEC would ' +
      'take too long, answer with more than 16 MiB or need more memory than is left',
    redis: 'no limit',
  },
  {
    of: 'WATCH',
    here: 'at most 1024 keys of a client, 16384 and 4 MiB of all',
    redis: 'no limit',
  },
  {
    of: 'much work or a long answer',
    here: 'refused: at most about 100 ms and 16 MiB for one input',
    redis: 'no limit',
  },
  {
    of: 'keys whose hashes agree',
    here: 'at most about 128 of them in one bucket of the table',
    redis: 'no limit: its hash has a secret',
  },
  { of: '`POST`, `Host:`', here: 'the connection is closed', redis: 'the same, and it is logged' },
]

/** Commands of which only the kind of reply is compared, where it is no error. */
export const OTHER_WORDS: ReadonlySet<string> = new Set([
  'CLIENT ID',
  'CLIENT INFO',
  'CLIENT LIST',
  'COMMAND COUNT',
  'COMMAND',
  'CONFIG GET',
  'HELLO',
  'INFO',
])
