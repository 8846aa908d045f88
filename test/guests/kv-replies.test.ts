// What the key-value guest answers to each command, as a table: a request and its answer with `|` for the end
// of a line. The requests of one group share an instance, so later ones see what earlier ones did.
import { describe, expect, test } from 'vitest'
import { kvCommands } from '../docs/kv-commands.ts'
import { Guest } from './host.ts'

type Row = readonly [request: string, reply: string]

const NOT_INTEGER = '-ERR value is not an integer or out of range|'
const SYNTAX = '-ERR syntax error|'

const groups: Record<string, readonly Row[]> = {
  strings: [
    ['GET k', '$-1|'],
    ['set k v', '+OK|'],
    ['gEt k', '$1|v|'],
    ['SET k longer-value-than-before', '+OK|'],
    ['GET k', '$24|longer-value-than-before|'],
    ['SET k ""', '+OK|'],
    ['GET k', '$0||'],
    ['SET "" empty', '+OK|'],
    ['GET ""', '$5|empty|'],
    ['STRLEN ""', ':5|'],
    ['STRLEN none', ':0|'],
    ['GETSET k new', '$0||'],
    ['GETSET other new', '$-1|'],
    ['GET k', '$3|new|'],
    ['SETNX k x', ':0|'],
    ['SETNX nx x', ':1|'],
    ['GET nx', '$1|x|'],
    ['APPEND log ab', ':2|'],
    ['APPEND log cd', ':4|'],
    ['GET log', '$4|abcd|'],
    ['MSET a 1 b 2 a 3', '+OK|'],
    ['MGET a none b', '*3|$1|3|$-1|$1|2|'],
  ],
  'the options of SET': [
    ['SET k v XX', '$-1|'],
    ['SET k v NX', '+OK|'],
    ['SET k w nx', '$-1|'],
    ['SET k w XX', '+OK|'],
    ['SET k x GET', '$1|w|'],
    ['SET k y NX GET', '$1|x|'],
    ['GET k', '$1|x|'],
    ['SET k2 y NX GET', '$-1|'],
    ['GET k2', '$1|y|'],
    ['SET k z KEEPTTL', '+OK|'],
    ['SET k v NX XX', '-ERR syntax error|'],
    ['SET k v WHAT', '-ERR syntax error|'],
    ['TTL k', ':-1|'],
    ['TTL none', ':-2|'],
    ['GET k', '$1|z|'],
  ],
  deadlines: [
    ['SET k v EX 10', '+OK|'],
    ['TTL k', ':10|'],
    ['PTTL k', ':10000|'],
    ['SET k w KEEPTTL', '+OK|'],
    ['PTTL k', ':10000|'],
    ['APPEND k x', ':2|'],
    ['PTTL k', ':10000|'],
    ['SET k w', '+OK|'],
    ['TTL k', ':-1|'],
    ['SET k v PX 1499', '+OK|'],
    ['TTL k', ':1|'],
    ['SET k v PXAT 1700000005000', '+OK|'],
    ['PTTL k', ':5000|'],
    ['SET k v EXAT 1700000005', '+OK|'],
    ['PTTL k', ':5000|'],
    ['GETSET k u', '$1|v|'],
    ['TTL k', ':-1|'],
    ['EXPIRE k 10 XX', ':0|'],
    ['EXPIRE k 10 GT', ':0|'],
    ['EXPIRE k 10 NX', ':1|'],
    ['EXPIRE k 9 GT', ':0|'],
    ['EXPIRE k 11 LT', ':0|'],
    ['PEXPIRE k 9000 LT', ':1|'],
    ['RENAME k l', '+OK|'],
    ['TTL l', ':9|'],
    ['PERSIST l', ':1|'],
    ['PERSIST l', ':0|'],
    ['PERSIST k', ':0|'],
    ['TTL k', ':-2|'],
    ['EXPIRE l 0', ':1|'],
    ['GET l', '$-1|'],
    ['EXPIRE l 1', ':0|'],
    ['SETEX k 10 v', '+OK|'],
    ['PSETEX k 10 v', '+OK|'],
    ['PTTL k', ':10|'],
    ['SETEX k 0 v', "-ERR invalid expire time in 'setex' command|"],
    ['SET k v EX -1', "-ERR invalid expire time in 'set' command|"],
    ['PEXPIRE k 9223372036854775807', "-ERR invalid expire time in 'pexpire' command|"],
    ['SET k v EX x', NOT_INTEGER],
    ['SET k v EX', SYNTAX],
    ['SET k v EX 1 PX 1', SYNTAX],
    ['SET k v EX 1 KEEPTTL', SYNTAX],
    ['EXPIRE k 1 WHAT', '-ERR Unsupported option WHAT|'],
    ['EXPIRE k 1 NX XX', '-ERR NX and XX, GT or LT options at the same time are not compatible|'],
    ['EXPIRE k 1 GT LT', '-ERR GT and LT options at the same time are not compatible|'],
    ['TIME', '*2|$10|1700000000|$1|0|'],
  ],
  'moved and deleted': [
    ['MSET a 1 b 2', '+OK|'],
    ['RENAME a b', '+OK|'],
    ['MGET a b', '*2|$-1|$1|1|'],
    ['RENAME b b', '+OK|'],
    ['RENAME none b', '-ERR no such key|'],
    ['RENAME none none', '-ERR no such key|'],
    ['RENAME b a-much-longer-name-than-fits', '+OK|'],
    ['GETDEL a-much-longer-name-than-fits', '$1|1|'],
    ['GETDEL b', '$-1|'],
    ['DBSIZE', ':0|'],
  ],
  numbers: [
    ['INCR n', ':1|'],
    ['INCRBY n 41', ':42|'],
    ['DECR n', ':41|'],
    ['DECRBY n 50', ':-9|'],
    ['GET n', '$2|-9|'],
    ['INCRBY n -9223372036854775808', '-ERR increment or decrement would overflow|'],
    ['DECRBY n -9223372036854775808', '-ERR decrement would overflow|'],
    ['SET n 9223372036854775807', '+OK|'],
    ['INCR n', '-ERR increment or decrement would overflow|'],
    ['DECRBY n 9223372036854775807', ':0|'],
    ['INCRBY n -9223372036854775808', ':-9223372036854775808|'],
    ['DECR n', '-ERR increment or decrement would overflow|'],
    ['INCRBY n 9223372036854775808', NOT_INTEGER],
    ['INCRBY n 1.5', NOT_INTEGER],
    ['INCRBY n 01', NOT_INTEGER],
    ['INCRBY n +1', NOT_INTEGER],
    ['INCRBY n -0', NOT_INTEGER],
    ['INCRBY n ""', NOT_INTEGER],
    ['SET text abc', '+OK|'],
    ['INCR text', NOT_INTEGER],
  ],
  keys: [
    ['MSET user:1 a user:2 b item:1 c "we*ird" d', '+OK|'],
    ['DBSIZE', ':4|'],
    ['EXISTS user:1 none user:1', ':2|'],
    ['TYPE user:1', '+string|'],
    ['TYPE none', '+none|'],
    ['KEYS item:?', '*1|$6|item:1|'],
    ['KEYS we\\*ird', '*1|$6|we*ird|'],
    ['KEYS *:2*', '*1|$6|user:2|'],
    ['KEYS none*', '*0|'],
    ['SCAN 0 COUNT 100000 MATCH i*', '*2|$1|0|*1|$6|item:1|'],
    ['SCAN 0 COUNT 100000 TYPE list', '*2|$1|0|*0|'],
    ['SCAN x', '-ERR invalid cursor|'],
    ['SCAN 0 COUNT 0', '-ERR syntax error|'],
    ['SCAN 0 COUNT', '-ERR syntax error|'],
    ['SCAN 0 COUNT x', NOT_INTEGER],
    ['DEL user:1 none user:2', ':2|'],
    ['UNLINK item:1', ':1|'],
    ['DBSIZE', ':1|'],
    ['FLUSHALL', '+OK|'],
    ['DBSIZE', ':0|'],
    ['FLUSHDB ASYNC', '+OK|'],
    ['FLUSHDB NOW', '-ERR syntax error|'],
  ],
  'the connection': [
    ['PING', '+PONG|'],
    ['PING hello', '$5|hello|'],
    ['ECHO hello', '$5|hello|'],
    ['SELECT 0', '+OK|'],
    ['SELECT 1', '-ERR DB index is out of range|'],
    ['SELECT x', NOT_INTEGER],
    ['CLIENT ID', ':1|'],
    ['CLIENT GETNAME', '$-1|'],
    ['CLIENT SETNAME me', '+OK|'],
    ['CLIENT SETINFO LIB-NAME x', '+OK|'],
    ['CLIENT GETNAME', '$2|me|'],
    ['CLIENT LIST', '$25|id=1 name=me db=0 resp=2\n|'],
    [
      'CLIENT SETNAME "a b"',
      '-ERR Client names cannot contain spaces, newlines or special characters.|',
    ],
    ['CLIENT SETNAME', "-ERR wrong number of arguments for 'client|setname' command|"],
    ['CLIENT WHAT', "-ERR unknown subcommand 'WHAT'. Try CLIENT HELP.|"],
    ['RESET', '+RESET|'],
    ['CLIENT GETNAME', '$-1|'],
    ['HELLO 3', '-NOPROTO unsupported protocol version|'],
    ['HELLO x', '-ERR Protocol version is not an integer or out of range|'],
    ['HELLO 2 AUTH a b', "-ERR Syntax error in HELLO option 'AUTH'|"],
    [
      'HELLO 2 SETNAME you',
      '*14|$6|server|$5|redis|$7|version|$5|7.0.0|$5|proto|:2|$2|id|:1|$4|mode|$10|standalone|' +
        '$4|role|$6|master|$7|modules|*0|',
    ],
    ['CLIENT GETNAME', '$3|you|'],
  ],
  'the server': [
    ['COMMAND', '*0|'],
    ['COMMAND DOCS', '*0|'],
    ['COMMAND COUNT', ':46|'],
    ['CONFIG GET save', '*2|$4|save|$0||'],
    ['CONFIG GET appendonly', '*2|$10|appendonly|$2|no|'],
    ['CONFIG GET m* none', '*2|$9|maxmemory|$1|0|'],
    ['CONFIG GET none', '*0|'],
    ['CONFIG GET', "-ERR wrong number of arguments for 'config|get' command|"],
    ['CONFIG SET save ""', '+OK|'],
    ['CONFIG RESETSTAT', '+OK|'],
    ['CONFIG WHAT', "-ERR unknown subcommand 'WHAT'. Try CONFIG HELP.|"],
    ['GET', "-ERR wrong number of arguments for 'get' command|"],
    ['MSET a 1 b', "-ERR wrong number of arguments for 'mset' command|"],
    ['PING a b', "-ERR wrong number of arguments for 'ping' command|"],
    ['LPUSH list a', "-ERR unknown command 'LPUSH', with args beginning with: 'list' 'a' |"],
    [
      'averylongcommandname',
      "-ERR unknown command 'averylongcommandname', with args beginning with: |",
    ],
    ['"a\\r\\nb"', "-ERR unknown command 'a  b', with args beginning with: |"],
    ['""', "-ERR unknown command '', with args beginning with: |"],
  ],
}

/** The words of a row, in which quotes may be used as on a command line. */
function words(request: string): string[] {
  const found = request.match(/"(?:\\.|[^"])*"|\S+/g) ?? []
  return found.map((word) => (word.startsWith('"') ? (JSON.parse(word) as string) : word))
}

const show = (reply: string) => reply.replaceAll('\r\n', '|')

describe.each(Object.entries(groups))('%s', (_, rows) => {
  test('by arrays of bulk strings', () => {
    const guest = new Guest('kv')
    guest.open(1)
    const answers = rows.map(([request]) => [request, show(guest.ask(1, ...words(request)))])
    expect(answers).toEqual(rows)
  })

  test('by inline commands, in one piece', () => {
    const guest = new Guest('kv')
    guest.open(1)
    const lines = rows.map(([request]) => request)
    const answer = guest.send(1, lines.map((line) => `${line}\r\n`).join(''))
    expect(show(answer)).toBe(rows.map(([, reply]) => reply).join(''))
  })
})

test('INFO tells of keys, memory and commands', () => {
  const guest = new Guest('kv')
  guest.open(7)
  guest.ask(7, 'SET', 'a', '1')
  const info = guest.ask(7, 'INFO')
  expect(info).toMatch(/^db0:keys=1,/m)
  expect(info).toMatch(/^total_commands_processed:2\r$/m)
  expect(info).toMatch(/^connected_clients:1\r$/m)
  const rss = guest.memory.buffer.byteLength
  expect(info).toContain(`used_memory_rss:${rss}\r\n`)
})

test('keys and values may hold any byte', () => {
  const guest = new Guest('kv')
  guest.open(1)
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1')
  expect(guest.ask(1, 'SET', bytes, bytes)).toBe('+OK\r\n')
  expect(guest.ask(1, 'GET', bytes)).toBe(`$256\r\n${bytes}\r\n`)
  expect(guest.ask(1, 'KEYS', '*')).toBe(`*1\r\n$256\r\n${bytes}\r\n`)
})

test('the commands that the documents list are those that the guest knows', () => {
  const guest = new Guest('kv')
  guest.open(1)
  const commands = kvCommands()
  expect(guest.ask(1, 'COMMAND', 'COUNT')).toBe(`:${commands.length}\r\n`)
  for (const { name } of commands) {
    expect(guest.ask(1, name, ...Array<string>(20).fill('x'))).not.toMatch(/unknown command/)
    guest.open(1)
  }
})
