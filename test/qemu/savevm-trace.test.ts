// What the QEMU traced that wrote a stream: word for word and in its order, for a stream with one of everything and
// for a COLO session; from a QEMU that is asked; and that the tables of events have QEMU's names and formats.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { madeStream } from '../ber/made-stream.ts'
import { MigrationStream } from '../../formats/qemu/stream/migration-stream.ts'
import { QemuFileReader } from '../../formats/qemu/file/qemu-file.ts'
import { SavevmTracer } from '../../formats/qemu/trace/savevm-trace.ts'
import { traceFormats, traceLine } from '../../formats/qemu/trace/trace-line.ts'
import { readVmDescription } from '../../formats/qemu/description/vmdesc.ts'
import { DeviceStates } from '../../tools/decode/device-states.ts'
import { walk } from '../../tools/decode/walk.ts'
import { CAPTURE_NAMES, captureBytes, CORPUS_MISSING } from './corpus.ts'
import { HAS_QEMU, Qemu, QEMU_MISSING, traced } from './qemu-process.ts'

const wanted = fileURLToPath(
  new URL('../../../shared/spec/trace-events-wanted.txt', import.meta.url),
)

function tracer(lines: string[], names?: ReadonlyMap<string, string>): SavevmTracer {
  return new SavevmTracer(
    (event, ...args) => lines.push(traceLine(event, args).trimEnd()),
    ({ idstr }) => names?.get(idstr),
    () => {},
  )
}

function linesOf(bytes: Uint8Array): string[] {
  const lines: string[] = []
  const sink = tracer(lines)
  new MigrationStream(QemuFileReader.over(bytes), sink).read()
  sink.finish()
  return lines
}

describe('a stream', () => {
  it('was written with these events', () => {
    expect(linesOf(madeStream('whole'))).toEqual([
      'savevm_state_header',
      'savevm_send_ping 0x1',
      'savevm_command_send com=0x2 len=4',
      'savevm_state_setup',
      'savevm_state_iterate',
      'savevm_section_start ram, section_id 2',
      'savevm_section_end ram, section_id 2 -> 1',
      'savevm_state_complete_precopy',
      'savevm_section_start ram, section_id 2',
      'savevm_section_end ram, section_id 2 -> 0',
      'savevm_section_start timer, section_id 5',
      'vmstate_save timer, (old)',
      'savevm_section_end timer, section_id 5 -> 0',
      'savevm_section_start slirp, section_id 6',
      'vmstate_save slirp, (old)',
      'savevm_section_end slirp, section_id 6 -> 0',
      'savevm_state_cleanup',
    ])
  })

  const [capture] = CAPTURE_NAMES.filter((name) => name === 'pc16_zero')
  it.skipIf(capture === undefined)(`of COLO has its devices bare (else ${CORPUS_MISSING})`, () => {
    const lines = linesOf(captureBytes(capture ?? ''))
    const count = (start: string) => lines.filter((line) => line.startsWith(start)).length
    expect(lines.slice(1, 3)).toEqual([
      'savevm_send_colo_enable',
      'savevm_command_send com=0x8 len=0',
    ])
    expect(count('savevm_state_setup')).toBe(1)
    // The first migration, and the twelve checkpoints that its README has.
    expect(count('savevm_state_complete_precopy')).toBe(13)
    const devices = count('vmstate_save ') / 13
    expect(Number.isInteger(devices)).toBe(true)
    expect(count('savevm_section_start') - count('savevm_section_start ram')).toBe(devices)
  })
})

describe.skipIf(!existsSync(wanted))('the tables of events (need ../shared/spec)', () => {
  it('have the formats of QEMU', () => {
    const groups = ['# savevm.c', '# vmstate.c', '# vmstate-types.c']
    let group = ''
    let seen = 0
    for (const line of readFileSync(wanted, 'utf8').split('\n')) {
      const event = /^(\w+)\(.*?\) "(.*)"$/.exec(line)
      if (event === null) group = line
      else if (groups.includes(group)) {
        const [, name = '', format = ''] = event
        expect([name, traceFormats[name]]).toEqual([name, format.replaceAll('\\"', '"')])
        seen++
      }
    }
    expect(seen).toBeGreaterThan(50)
  })
})

describe.skipIf(!HAS_QEMU)(`a QEMU (else ${QEMU_MISSING})`, () => {
  it('traces what we say of the stream that it writes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'colo-savevm-'))
    const [file, log] = [join(folder, 'stream'), join(folder, 'log')]
    const events = ['savevm*', 'qemu_savevm*', 'vmstate_save']
    const qemu = await Qemu.start(8, ['-S', '-vga', 'none', '-net', 'none', ...traced(log, events)])
    try {
      await qemu.ask('migrate', { uri: `exec:cat > ${file}` })
      while ((await qemu.ask('query-migrate')).status !== 'completed');
      await qemu.ask('quit')
      const states = new DeviceStates([])
      await walk(file, states)
      const { devices } = readVmDescription(states.json ?? new Uint8Array())
      const lines: string[] = []
      const sink = tracer(lines, new Map(devices.map(({ name, vmsd }) => [name, vmsd.name])))
      await walk(file, sink)
      const theirs = readFileSync(log, 'utf8').trimEnd().split('\n')
      // What was skipped left nothing in the stream, and it quits ahead of its last word or behind it.
      const heard = theirs.filter((line) => !/^savevm_(section_skip|state_cleanup)/.test(line))
      expect(lines.length).toBeGreaterThan(90)
      expect(lines).toEqual(heard.map((line) => line.trimEnd()))
    } finally {
      qemu.kill()
      rmSync(folder, { recursive: true })
    }
  })
})
