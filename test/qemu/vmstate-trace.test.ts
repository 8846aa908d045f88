// What QEMU traces while a device is loaded or saved, word for word and in its order; and that the table of events
// is the one that QEMU has, as far as it is about devices.

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import {
  BinaryInputVisitor,
  BinaryOutputVisitor,
} from '../../formats/qemu/vmstate/binary-visitor.ts'
import {
  ObjectInputVisitor,
  ObjectOutputVisitor,
} from '../../formats/qemu/vmstate/object-visitor.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import {
  vmstateTraceEvents,
  type QemuTrace,
  type VMStateTraceEvent,
} from '../../formats/qemu/vmstate/trace-events.ts'
import { transfer } from '../../formats/qemu/vmstate/transfer.ts'
import type { VMStateDescription } from '../../formats/qemu/vmstate/vmstate.ts'
import { bytesOut, fileOf } from './bytes.ts'

const wanted = fileURLToPath(
  new URL('../../../shared/spec/trace-events-wanted.txt', import.meta.url),
)

const point: VMStateDescription = {
  name: 'point',
  version_id: 1,
  fields: [{ name: 'x', type: 'uint8' }],
}

const vmsd: VMStateDescription = {
  name: 'd',
  version_id: 2,
  minimum_version_id: 1,
  pre_save: () => undefined,
  fields: [
    { name: 'bytes', type: 'uint8', count: 2 },
    { name: 'late', type: 'uint8', version_id: 3 },
    { name: 'tail', type: 'qtailq', vmsd: point },
    { name: 'list', type: 'qlist', vmsd: point },
    { name: 'tree', type: 'gtree', vmsd: point },
  ],
  subsections: [{ name: 'd/sub', version_id: 7, fields: [] }],
}

const device = { bytes: [1, 2], tail: [{ x: 3 }], list: [], tree: [{ key: 1n, value: { x: 4 } }] }

function saved(trace?: QemuTrace): Uint8Array {
  return bytesOut((file) => {
    transfer(vmsd, new ObjectInputVisitor(device), new BinaryOutputVisitor(file), { trace })
  })
}

function tracing(): { lines: string[]; trace: QemuTrace; heard: Set<VMStateTraceEvent> } {
  const lines: string[] = []
  const heard = new Set<VMStateTraceEvent>()
  const trace: QemuTrace = (event, ...args) => {
    expect(args).toHaveLength(vmstateTraceEvents[event].length)
    lines.push([event, ...args].join(' '))
    heard.add(event)
  }
  return { lines, trace, heard }
}

function load(bytes: Uint8Array, version_id: number, trace: QemuTrace): string {
  const into = new ObjectOutputVisitor({})
  try {
    transfer(vmsd, new BinaryInputVisitor(fileOf(bytes)), into, { version_id, trace })
    return 'loaded'
  } catch (error) {
    if (error instanceof QemuStreamError) return error.code
    throw error
  }
}

const pointSaved = [
  'vmstate_save_state_top point',
  'vmstate_n_elems x 1',
  'vmstate_save_state_loop point x 1',
  'vmstate_subsection_save_top point',
]

const pointLoaded = [
  'vmstate_load_state point 1',
  'vmstate_load_state_field point x',
  'vmstate_n_elems x 1',
  'vmstate_subsection_load point',
  'vmstate_subsection_load_good point',
  'vmstate_load_state_end point end 0',
]

test('saving', () => {
  const { lines, trace } = tracing()
  saved(trace)
  expect(lines).toEqual([
    'vmstate_save_state_top d',
    'vmstate_save_state_pre_save_res d 0',
    'vmstate_n_elems bytes 2',
    'vmstate_save_state_loop d bytes 2',
    'vmstate_n_elems tail 1',
    'vmstate_save_state_loop d tail 1',
    'put_qtailq point 1',
    ...pointSaved,
    'put_qtailq_end point end',
    'vmstate_n_elems list 1',
    'vmstate_save_state_loop d list 1',
    'put_qlist list point 1',
    'put_qlist_end list point',
    'vmstate_n_elems tree 1',
    'vmstate_save_state_loop d tree 1',
    'put_gtree tree direct point 1',
    ...pointSaved,
    'put_gtree_end tree direct point 0',
    'vmstate_subsection_save_top d',
    'vmstate_subsection_save_loop d d/sub',
    'vmstate_save_state_top d/sub',
    'vmstate_subsection_save_top d/sub',
  ])
})

test('loading', () => {
  const { lines, trace } = tracing()
  expect(load(saved(), 2, trace)).toBe('loaded')
  expect(lines).toEqual([
    'vmstate_load_state d 2',
    'vmstate_load_state_field d bytes',
    'vmstate_n_elems bytes 2',
    'vmstate_load_state_field d late',
    'vmstate_load_state_field d tail',
    'vmstate_n_elems tail 1',
    'get_qtailq point 1',
    ...pointLoaded,
    'get_qtailq_end point end 0',
    'vmstate_load_state_field d list',
    'vmstate_n_elems list 1',
    'get_qlist list point 1',
    'get_qlist_end list point',
    'vmstate_load_state_field d tree',
    'vmstate_n_elems tree 1',
    'get_gtree tree direct point 1',
    ...pointLoaded,
    'get_gtree_end tree direct point 0',
    'vmstate_subsection_load d',
    'vmstate_load_state d/sub 7',
    'vmstate_subsection_load d/sub',
    'vmstate_subsection_load_good d/sub',
    'vmstate_load_state_end d/sub end 0',
    'vmstate_subsection_load_good d',
    'vmstate_load_state_end d end 0',
  ])
})

test('what fails', () => {
  const bytes = saved()
  const lines = (what: Uint8Array, version: number) => {
    const one = tracing()
    load(what, version, one.trace)
    return one.lines
  }
  expect(lines(bytes, 3).at(-1)).toBe('vmstate_load_state_end d too new -22')
  expect(lines(bytes, 0).at(-1)).toBe('vmstate_load_state_end d too old -22')
  expect(lines(bytes.subarray(0, 1), 2).at(-1)).toBe('vmstate_load_field_error bytes -5')
  const sub = bytes.length - 'd/sub'.length - 6
  const other = bytes.slice()
  other[sub + 2] = 'e'.charCodeAt(0)
  expect(lines(other, 2)).toContain('vmstate_subsection_load_bad d e/sub (prefix)')
  other[sub + 2] = 'd'.charCodeAt(0)
  other[sub + 3] = '_'.charCodeAt(0)
  expect(lines(other, 2).at(-1)).toBe('vmstate_subsection_load_bad d d_sub (lookup)')
  other.set([1, 'd'.charCodeAt(0)], sub + 1)
  expect(lines(other, 2)).toContain('vmstate_subsection_load_bad d (short) ')
  expect(lines(bytes.subarray(0, -1), 2).at(-1)).toBe('vmstate_subsection_load_bad d d/sub (child)')
})

test('a device that refuses what it has loaded', () => {
  const { lines, trace } = tracing()
  const refusing = { ...point, post_load: () => 'no' }
  const into = new ObjectOutputVisitor({})
  expect(() => {
    transfer(refusing, new BinaryInputVisitor(fileOf(Uint8Array.of(1))), into, { trace })
  }).toThrow('post_load refuses: no')
  expect(lines.at(-1)).toBe('vmstate_load_state_end point end -22')
})

test('every event of the table is said', () => {
  const { trace, heard } = tracing()
  const bytes = saved(trace)
  load(bytes, 2, trace)
  load(bytes.subarray(0, 1), 2, trace)
  load(bytes.subarray(0, -1), 2, trace)
  expect([...heard].toSorted()).toEqual(Object.keys(vmstateTraceEvents).toSorted())
})

test.skipIf(!existsSync(wanted))('the table is QEMU’s (needs ../shared/spec)', () => {
  const lines = readFileSync(wanted, 'utf8').split('\n')
  const theirs = new Map<string, string[]>()
  let group = ''
  for (const line of lines) {
    const event = /^(\w+)\((.*?)\) "/.exec(line)
    if (event === null) group = line
    else if (group.startsWith('# vmstate')) {
      const args = event[2] === 'void' ? [] : event[2].split(',')
      theirs.set(
        event[1],
        args.map((arg) => /\w+$/.exec(arg)?.[0] ?? arg),
      )
    }
  }
  expect(Object.fromEntries(theirs)).toEqual(vmstateTraceEvents)
})
