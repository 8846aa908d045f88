// Work for other people's modules: what each is for, at a size that touches a few megabytes. Every piece of
// work gives a text that says what came out, and ends epochs on the way.

import { createHash } from 'node:crypto'

import { type ForeignHost, type ForeignModule, packageFile } from './foreign-module.ts'

export interface ForeignWork {
  readonly name: string
  readonly bytes: Buffer
  readonly host: ForeignHost
  readonly run: (module: ForeignModule, endEpoch: () => void) => string
}

const zeroed = (text: string) => Buffer.from(`${text}\0`)
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Words of a small vocabulary, the same each time: compresses well, but not to nothing. */
function someText(bytes: number): Buffer {
  let state = 12345
  let text = ''
  while (text.length < bytes) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    text += `word${(state >>> 16) % 997}${(state >>> 8) % 7 === 0 ? '\n' : ' '}`
  }
  return Buffer.from(text.slice(0, bytes))
}

const noop = () => () => 0
const growing: ForeignHost['imports'] = {
  emscripten_resize_heap: (module) => (bytes) => module.growTo(bytes >>> 0),
}

const SQLITE_ROW = 100
const ROWS = 6000

/** Runs a statement and gives its rows, columns parted by `|`. */
function query(module: ForeignModule, db: number, sql: string): string[] {
  const text = module.put('malloc', zeroed(sql))
  const place = module.put('malloc', new Uint8Array(4))
  const failed = module.call('sqlite3_prepare_v2', db, text, -1, place, 0)
  if (failed !== 0) throw new Error(`${sql}: ${module.text(module.call('sqlite3_errmsg', db))}`)
  const statement = module.word(place)
  const rows: string[] = []
  while (module.call('sqlite3_step', statement) === SQLITE_ROW) {
    const cells: string[] = []
    for (let i = 0; i < module.call('sqlite3_column_count', statement); i++) {
      const at = module.call('sqlite3_column_text', statement, i)
      cells.push(at === 0 ? 'NULL' : module.text(at))
    }
    rows.push(cells.join('|'))
  }
  module.call('sqlite3_finalize', statement)
  module.call('free', text)
  module.call('free', place)
  return rows
}

function sqliteWork(module: ForeignModule, endEpoch: () => void): string {
  module.call('emscripten_stack_init')
  const [end, base] = ['end', 'base'].map((name) => module.call(`emscripten_stack_get_${name}`))
  module.call('__set_stack_limits', base, end)
  module.call('__wasm_call_ctors')
  const place = module.put('malloc', new Uint8Array(4))
  module.call('sqlite3_open', module.put('malloc', zeroed(':memory:')), place)
  const db = module.word(place)
  endEpoch()
  const said = [
    'create table t (id integer primary key, name text, body text)',
    'create index by_name on t (name)',
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${ROWS})
     insert into t select i, 'name' || (i * 7919 % ${ROWS}), printf('%.*c', 3000 + i % 50, 'x') from n`,
    "update t set name = 'changed' || id where id % 97 = 0",
    'delete from t where id % 5 = 0',
    'select count(*), sum(length(body)), min(name), max(name) from t',
    "select id, name, length(body) from t where name between 'name10' and 'name11' order by name limit 40",
    'pragma integrity_check',
  ].map((sql) => {
    const rows = query(module, db, sql)
    endEpoch()
    return rows.join('\n')
  })
  module.call('sqlite3_close_v2', db)
  return said.join('\n')
}

/** What the glue calls an export: the module's own names are single letters. */
function glueNames(glue: string): Map<string, string> {
  const names = glue.matchAll(/Module\['_(\w+)'\] = wasmExports\['(\w+)'\]/g)
  return new Map([...names].map(([, name, short]) => [name, short]))
}

function zstdWork(names: ReadonlyMap<string, string>): ForeignWork['run'] {
  return (module, endEpoch) => {
    const call = (name: string, ...args: number[]) => module.call(names.get(name) ?? name, ...args)
    module.call('g') // the constructors
    const text = someText(700_000)
    const source = module.put(names.get('malloc') ?? 'malloc', text)
    const most = call('ZSTD_compressBound', text.length)
    const packed = call('malloc', most)
    const unpacked = call('malloc', text.length)
    const said = [1, 3, 9].map((level) => {
      endEpoch()
      const bytes = call('ZSTD_compress', packed, most, source, text.length, level)
      if (call('ZSTD_isError', bytes) !== 0) throw new Error(`level ${level}: error ${bytes}`)
      endEpoch()
      const back = call('ZSTD_decompress', unpacked, text.length, packed, bytes)
      const { ram } = module
      const same = ram.subarray(unpacked, unpacked + back).equals(text)
      return `${level}: ${bytes} ${digest(ram.subarray(packed, packed + bytes))} ${same}`
    })
    call('free', packed)
    return said.join('\n')
  }
}

const PATTERNS = ['\\bword(\\d)\\1\\b', '(?<=9 )word(?<n>[0-4]+)', 'no such thing', 'w\\w+?7\\n']

function onigurumaWork(module: ForeignModule, endEpoch: () => void): string {
  module.call('__wasm_call_ctors')
  const patterns = PATTERNS.map((text) => Buffer.from(text))
  const places = patterns.map((bytes) => module.put('omalloc', bytes))
  const lengths = patterns.map(({ length }) => length)
  const scanner = module.call(
    'createOnigScanner',
    module.putWords('omalloc', places),
    module.putWords('omalloc', lengths),
    patterns.length,
    0,
    module.told.get('ONIG_SYNTAX_DEFAULT') ?? 0,
  )
  const text = someText(40_000)
  const at = module.put('omalloc', text)
  endEpoch()
  const said: string[] = []
  for (let from = 0; said.length < 500;) {
    const match = module.call('findNextOnigScannerMatch', scanner, 1, at, text.length, from, 0)
    if (match === 0) break
    const [pattern, groups] = [module.word(match), module.word(match + 4)]
    const ends = Array.from({ length: groups * 2 }, (_, i) => module.word(match + 8 + 4 * i))
    said.push(`${pattern}: ${ends.join(' ')}`)
    from = Math.max(from + 1, ends[1])
    if (said.length % 100 === 0) endEpoch()
  }
  module.call('freeOnigScanner', scanner)
  return said.join('\n')
}

const embind = ['void', 'bool', 'integer', 'float', 'std_string', 'std_wstring'].concat([
  'emval',
  'memory_view',
  'bigint',
])

export const FOREIGN_WORK: readonly ForeignWork[] = [
  {
    name: 'SQLite (sql.js)',
    bytes: packageFile('sql.js/dist/sql-wasm-debug.wasm'),
    host: {
      imports: {
        ...growing,
        emscripten_get_heap_max: () => () => 2 ** 31,
        // No environment: none of it, in no bytes.
        environ_sizes_get: (module) => (countAt, bytesAt) => {
          for (const at of [countAt, bytesAt]) module.write(at, new Uint8Array(4))
          return 0
        },
        environ_get: noop,
      },
    },
    run: sqliteWork,
  },
  {
    name: 'Zstandard (@bokuweb/zstd-wasm)',
    bytes: packageFile('@bokuweb/zstd-wasm/dist/common/zstd.wasm'),
    host: { memory: 'f' },
    run: zstdWork(
      glueNames(packageFile('@bokuweb/zstd-wasm/dist/common/zstd.js').toString('latin1')),
    ),
  },
  {
    name: 'Oniguruma (vscode-oniguruma)',
    bytes: packageFile('vscode-oniguruma/release/onig.wasm'),
    host: {
      imports: {
        ...growing,
        ...Object.fromEntries(embind.map((what) => [`_embind_register_${what}`, noop])),
        _embind_register_constant: (module) => (name, _type, value) => {
          module.told.set(module.text(name), value)
          return 0
        },
        emscripten_get_now: noop,
        emscripten_memcpy_big: (module) => (to, from, length) => {
          module.write(to >>> 0, module.ram.slice(from >>> 0, (from + length) >>> 0))
          return to
        },
      },
    },
    run: onigurumaWork,
  },
]
