// The JSON behind a stream: what the reader keeps and what it refuses, and what descriptions come of it in the
// cases that no stream of the corpus has.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BinaryInputVisitor } from '../../formats/qemu/vmstate/binary-visitor.ts'
import { readJson, type JsonValue } from '../../formats/qemu/description/json-reader.ts'
import { ObjectOutputVisitor } from '../../formats/qemu/vmstate/object-visitor.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import { transfer } from '../../formats/qemu/vmstate/transfer.ts'
import { TreeOutputVisitor } from '../../formats/qemu/vmstate/tree-visitor.ts'
import {
  bytesOfVmsd,
  findVmDevice,
  readVmDescription,
} from '../../formats/qemu/description/vmdesc.ts'
import {
  vmDescriptionJson,
  writeVmDescription,
} from '../../formats/qemu/description/vmdesc-writer.ts'
import { bytesOut, fileOf } from './bytes.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

/** What JSON.parse would give. */
function plainOf(value: JsonValue): unknown {
  if (value === null || typeof value !== 'object') return value
  if (value.kind === 'number') return Number(value.text)
  if (value.kind === 'array') return value.items.map(plainOf)
  return Object.fromEntries(value.members.map((one) => [one.key, plainOf(one.value)]))
}

describe('the reader', () => {
  test('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (json) => {
        expect(plainOf(readJson(utf8(json)))).toEqual(JSON.parse(json))
      }),
    )
  })

  test('keeps repeated keys, their order, and numbers as they were written', () => {
    const json = readJson(utf8('{"b": 1e2, "a": 18446744073709551615, "b": -0.50}'))
    expect(json).toEqual({
      kind: 'object',
      members: [
        { key: 'b', value: { kind: 'number', text: '1e2' } },
        { key: 'a', value: { kind: 'number', text: '18446744073709551615' } },
        { key: 'b', value: { kind: 'number', text: '-0.50' } },
      ],
    })
  })

  test.each([
    ['', 0],
    ['{', 1],
    ['{"a" 1}', 5],
    ['{"a": }', 6],
    ['{a: 1}', 1],
    ['[1,]', 3],
    ['[1 2]', 3],
    ['01', 1],
    ['+1', 0],
    ['.5', 0],
    ['1.', 1],
    ['nul', 0],
    ['"a', 2],
    ['"\\x"', 4],
    ['"\\u12G4"', 8],
    ['"\n"', 1],
    ['{} x', 3],
    ['['.repeat(600), 513],
  ])('refuses %s', (json, at) => {
    let error: unknown
    try {
      readJson(utf8(json), 100)
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(QemuStreamError)
    expect(error).toMatchObject({ code: 'bad-description', offset: 100 + at })
  })

  test('refuses what is not UTF-8', () => {
    expect(() => readJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow('not UTF-8')
    expect(() => readJson(Uint8Array.of(0x22, 0xc3, 0x22))).toThrow('not UTF-8')
  })

  test('any damage is told', () => {
    const json = utf8('{"page_size": 4096, "devices": [{"name": "a\\n", "x": [true, null]}]}')
    const places = fc.nat({ max: json.length - 1 })
    fc.assert(
      fc.property(fc.array(fc.tuple(places, fc.nat({ max: 255 })), { minLength: 1 }), (changes) => {
        const bytes = json.slice()
        for (const [at, byte] of changes) bytes[at] = byte
        expect(() => {
          try {
            readVmDescription(bytes)
          } catch (error) {
            if (!(error instanceof QemuStreamError)) throw error
          }
        }).not.toThrow()
      }),
    )
  })
})

const describing = (fields: string) =>
  readVmDescription(
    utf8(
      `{"page_size": 4096, "devices": [{"name": "d", "instance_id": 4294967295, ` +
        `"vmsd_name": "d", "version": 1, "fields": [${fields}]}]}`,
    ),
  )

function loaded(fields: string, bytes: readonly number[]): unknown {
  const description = describing(fields)
  const device = {}
  const file = fileOf(Uint8Array.from(bytes))
  const vmsd = findVmDevice(description, 'd', 0xffffffff)?.vmsd
  if (vmsd === undefined) throw new Error('no device')
  expect(bytesOfVmsd(vmsd)).toBe(bytes.length)
  transfer(vmsd, new BinaryInputVisitor(file), new ObjectOutputVisitor(device, { nested: true }))
  expect(file.atEnd).toBe(true)
  return device
}

/** The same description, from the tree of what it describes. */
function described(fields: string, bytes: readonly number[]): string {
  const file = fileOf(Uint8Array.from(bytes))
  const tree = new TreeOutputVisitor(file)
  const vmsd = describing(fields).devices[0]?.vmsd
  if (vmsd === undefined) throw new Error('no device')
  transfer(vmsd, new BinaryInputVisitor(file), tree)
  if (tree.root === undefined) throw new Error('no tree')
  const json = vmDescriptionJson(4096, [{ name: 'd', instance_id: 0xffffffff, tree: tree.root }])
  const start = json.indexOf('"fields": [') + '"fields": ['.length
  return json.slice(start, -'])}]}'.length + 1)
}

const body = (name: string, ...fields: string[]) =>
  `"vmsd_name": "${name}", "version": 1, "fields": [${fields.join(', ')}]`

const x = '{"name": "x", "type": "uint8", "size": 1}'
const y = '{"name": "y", "type": "uint16", "size": 2}'

const cases: readonly [string, string, number[], object][] = [
  [
    'a list whose elements differ, under keys that repeat',
    `{"name": "l", "type": "qtailq", ${body('e', x)}, ${body('e', x, y)}, "size": 7}`,
    [1, 7, 1, 8, 0, 9, 0],
    { l: [{ x: 7 }, { x: 8, y: 9 }] },
  ],
  ['an empty list', '{"name": "l", "type": "qlist", "size": 1}', [0], { l: [] }],
  [
    'a tree with numbers for keys',
    `{"name": "t", "type": "gtree", ${body('v', x)}, "size": 15}`,
    [0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 3, 4, 0],
    { t: [{ key: 3n, value: { x: 4 } }] },
  ],
  [
    'a tree with structs for keys',
    `{"name": "t", "type": "gtree", ${body('k', y)}, ${body('v', x)}, "size": 9}`,
    [0, 0, 0, 1, 1, 0, 3, 4, 0],
    { t: [{ key: { y: 3 }, value: { x: 4 } }] },
  ],
  [
    'pointers of which some are null, an entry each',
    `{"name": "p", "index": 0, "type": "struct", "struct": {}, "size": 1}, ` +
      `{"name": "p", "index": 1, "type": "struct", "struct": {${body('e', y)}}, "size": 2}`,
    [0x30, 0, 5],
    { p: [null, { y: 5 }] },
  ],
  [
    'numbers behind pointers, the first null',
    `{"name": "p", "array_len": 2, "type": "uint32", "size": 1}`,
    [0x30, 0x30],
    { p: [null, null] },
  ],
  [
    'a vstruct, flat',
    `{"name": "v", "type": "vstruct", ${body('e', x)}, "size": 1}`,
    [6],
    { v: { x: 6 } },
  ],
  [
    'what only the device understands',
    '{"name": "o", "type": "virtio", "size": 3}',
    [1, 2, 3],
    { o: Uint8Array.of(1, 2, 3) },
  ],
]

describe('descriptions', () => {
  test.each(cases)('%s', (_what, fields, bytes, device) => {
    expect(loaded(fields, bytes)).toEqual(device)
    expect(described(fields, bytes)).toBe(fields)
  })

  test.each([
    ['a size that is not its type’s', '{"name": "a", "type": "uint32", "size": 2}', 'uint32 of 2'],
    ['no type', '{"name": "a", "size": 2}', 'type was due'],
    ['no size', '{"name": "a", "type": "uint8"}', 'size was due'],
    ['an index that does not follow', x.replace('"x"', '"x", "index": 1'), 'does not follow'],
    ['a size beyond 32 bits', '{"name": "a", "type": "x", "size": 4294967296}', 'size was due'],
    ['a field that is no object', '7', 'an object was due'],
  ])('%s is refused', (_what, fields, rule) => {
    expect(() => describing(fields)).toThrow(rule)
  })

  test('written behind a stream: 06, its length, the JSON', () => {
    const bytes = bytesOut((file) => writeVmDescription(file, 4096, []))
    expect(Buffer.from(bytes).toString('latin1')).toBe(
      '\x06\0\0\0\x22{"page_size": 4096, "devices": []}',
    )
  })

  test('names are escaped as QEMU does', () => {
    const tree = { kind: 'struct', name: 'd', field: undefined, offset: 0, size: 0 } as const
    const vmsd = { name: 'a"\\\n\u001f\u007fé', version_id: 0, fields: [] }
    const root = { ...tree, vmsd, version_id: undefined, children: [] }
    expect(vmDescriptionJson(1, [{ name: 'd', instance_id: 0, tree: root }])).toContain(
      String.raw`"vmsd_name": "a\"\\\n\u001F\u007F\u00E9"`,
    )
  })
})
