// `colo decode` as a process: what is said where, how it ends, pipes of any pace, and arguments read quickly or by
// commander alike. What the decoder finds is tested in test/qemu/.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { madeStream } from '../ber/made-stream.ts'
import {
  CAPTURE_NAMES,
  captureBytes,
  channelBytes,
  CORPUS_MISSING,
  STREAM_NAMES,
  streamBytes,
} from '../qemu/corpus.ts'
import { colo, inFolder, Running } from './command.ts'

const isHere = STREAM_NAMES.length > 0 && CAPTURE_NAMES.length > 0

describe('arguments', () => {
  it('are explained whether they are plain or not', async () => {
    const { code, stdout } = await colo('decode', '--help')
    expect(code).toBe(0)
    for (const option of ['--state', '--ram', '--desc-from', '--diff-checkpoint', '--trace']) {
      expect(stdout).toContain(option)
    }
    expect(await colo('decode')).toMatchObject({ code: 2 })
    expect((await colo('decode', 'x', '--at', 'y')).stderr).toContain('no whole number')
    expect((await colo('decode', 'x', '--nonsense')).stderr).toContain('unknown option')
    expect(await colo('decode', join('no', 'such', 'file'))).toMatchObject({ code: 2 })
    expect((await colo('decode', 'x', '--format', 'xml')).stderr).toContain('text, json')
  })

  it.skipIf(!isHere)('mean the same in both spellings', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'microblaze')
      writeFileSync(file, streamBytes('microblaze'))
      const plain = await colo('decode', file, '--format', 'json')
      const other = await colo('decode', file, '--format=json')
      expect(plain.code).toBe(0)
      expect(other).toEqual(plain)
      expect(JSON.parse(plain.stdout)).toMatchObject({ ending: 'whole', error: null })
    })
  })
})

describe.skipIf(!isHere)(`streams (else ${CORPUS_MISSING})`, () => {
  it('come from a pipe as from a file, at any pace', async () => {
    await inFolder(async (folder) => {
      const bytes = streamBytes('isapc')
      const file = join(folder, 'isapc')
      writeFileSync(file, bytes)
      const fromFile = await colo('decode', file, '--state')
      const running = new Running(['decode', '-', '--state'], bytes)
      expect((await running.ended).stdout).toBe(fromFile.stdout)
      expect(fromFile.code).toBe(0)
    })
  })

  it('that are cut off are told as far as they go, with exit code 1', async () => {
    const bytes = streamBytes('pc-default-bios')
    const running = new Running(['decode', '-'], bytes.subarray(0, 800_000))
    const { code, stdout, stderr } = await running.ended
    expect(code).toBe(1)
    expect(stdout).toContain('pc.ram')
    expect(stdout).toContain('broken off: truncated at byte 800000')
    expect(stderr).toMatch(/^colo: -: truncated at byte 800000 \(ram\)/)
  })

  it('of multifd want all of their channels', async () => {
    await inFolder(async (folder) => {
      const [file, first, second] = ['vm', 'first', 'second'].map((name) => join(folder, name))
      writeFileSync(file, streamBytes('pc-multifd'))
      writeFileSync(first, channelBytes('pc-multifd', 1))
      writeFileSync(second, channelBytes('pc-multifd', 2))
      const all = await colo('decode', file, '--channel', first, '--channel', second)
      expect(all).toMatchObject({ code: 0, stderr: '' })
      for (const one of [first, second]) {
        const { code, stderr } = await colo('decode', file, '--channel', one)
        expect(stderr).toMatch(/\d+ of 1[34] packets are there: name all channels/)
        expect(code).toBe(1)
      }
    })
  })

  it('that are none are refused', async () => {
    const { code, stdout, stderr } = await new Running(['decode', '-'], Buffer.from('hello, world'))
      .ended
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('bad-magic at byte 0')
  })

  it('without a description are shown as bytes, or by another stream', async () => {
    await inFolder(async (folder) => {
      const [old, other] = [join(folder, 'old'), join(folder, 'other')]
      writeFileSync(old, streamBytes('pc-i440fx-2.0'))
      writeFileSync(other, streamBytes('pc-default-bios'))
      const alone = await colo('decode', old, '--state')
      expect(alone.code).toBe(1)
      expect(alone.stdout).toContain('there is no description of it')
      const helped = await colo('decode', old, '--state', '--desc-from', other)
      expect(helped.stdout).toContain('cpu_ticks_offset = ')
    })
  })
})

const made = madeStream('whole')

describe('standard input', () => {
  it.each([['--at', '30'], ['--trace'], ['--state']])(
    'is a file as any other: %s',
    async (...args) => {
      await inFolder(async (folder) => {
        const file = join(folder, 'file')
        writeFileSync(file, made)
        const { code, stdout } = await colo('decode', file, ...args)
        const piped = await new Running(['decode', '-', ...args], made).ended
        expect(piped).toMatchObject({ code, stdout })
        expect(stdout).not.toBe('')
      })
    },
  )

  it.skipIf(!isHere)('may bring the description', async () => {
    await inFolder(async (folder) => {
      const old = join(folder, 'old')
      writeFileSync(old, streamBytes('pc-i440fx-2.0'))
      const args = ['decode', old, '--state', '--desc-from', '-']
      const { stdout } = await new Running(args, streamBytes('pc-default-bios')).ended
      expect(stdout).toContain('cpu_ticks_offset = ')
    })
  })
})

describe('the end of a stream', () => {
  it('may have padding behind it, of which --at says so', async () => {
    const zeros = 1000
    const { code, stdout } = await new Running(
      ['decode', '-', '--at', String(made.length - zeros / 2)],
      made,
    ).ended
    expect(stdout).toContain('padding behind the end of the stream')
    expect(code).toBe(0)
  })
})

describe.skipIf(!isHere)('questions', () => {
  it('are answered about a session that is cut off, as far as it goes', async () => {
    await inFolder(async (folder) => {
      const [whole, cut] = [join(folder, 'whole'), join(folder, 'cut')]
      writeFileSync(whole, captureBytes('pc16_small'))
      writeFileSync(cut, captureBytes('pc16_small').subarray(0, 1_300_000))
      for (const args of [
        ['--checkpoint', '3', '--diff-checkpoint', '4'],
        ['--diff', whole],
      ]) {
        const { code, stdout, stderr } = await colo('decode', cut, ...args)
        expect(stdout).toMatch(/\n9 fields differ between .*\n$/)
        expect(stderr).toContain('cut: truncated at byte 1300000 (ram)')
        expect(code).toBe(1)
      }
      for (const args of [
        ['--checkpoint', '9'],
        ['--checkpoint', '9', '--diff-checkpoint', '2'],
      ]) {
        const { code, stderr } = await colo('decode', cut, ...args)
        expect(stderr).toMatch(
          /no whole checkpoint 9; it has 7, and then: truncated at byte 1300000/,
        )
        expect(code).toBe(1)
      }
    })
  })

  it('are answered about an offset, a difference, a checkpoint and a trace', async () => {
    await inFolder(async (folder) => {
      const [session, paused, packed] = ['a', 'b', 'c'].map((name) => join(folder, name))
      writeFileSync(session, captureBytes('pc16_small'))
      writeFileSync(paused, streamBytes('pc-min-paused'))
      writeFileSync(packed, streamBytes('pc-compress'))
      const at = await colo('decode', paused, '--at', '0x35db0')
      expect(at.stdout).toMatch(/timer.*cpu_ticks_offset = .*byte 0 of 8/)
      const page = await colo('decode', packed, '--at', '1000')
      expect(page.stdout).toMatch(/page 0x[0-9a-f]+ of 0000:00:02\.0\/vga\.vram/)
      expect((await colo('decode', paused, '--at', '99999999')).code).toBe(2)
      const diff = await colo('decode', paused, '--diff', packed)
      expect(diff.stdout).toContain('config[0] command  0x0000 -> 0x0103')
      const changed = await colo(
        'decode',
        session,
        '--checkpoint',
        '3',
        '--diff-checkpoint',
        '4',
        '-f',
        'json',
      )
      const rows = JSON.parse(changed.stdout) as { device: string; path: string }[]
      expect(rows).toHaveLength(9)
      expect(rows[0]).toMatchObject({ device: 'timer', path: 'cpu_ticks_offset' })
      const missing = await colo('decode', session, '--checkpoint', '99', '--state')
      expect(missing).toMatchObject({ code: 2 })
      expect(missing.stderr).toContain('it has 30')
      const trace = await colo('decode', paused, '--trace')
      expect(trace.stdout).toContain('\nvmstate_load_state timer v2\n')
    })
  })

  it('are answered about the inside of a virtio device too', async () => {
    await inFolder(async (folder) => {
      const [path, other] = [join(folder, 'a'), join(folder, 'b')]
      const bytes = streamBytes('q35-storage')
      writeFileSync(path, bytes)
      const text = await colo('decode', path, '--state')
      expect(text.stdout).toMatch(/^[0-9a-f]{9} +vq\[2\]\.last_avail_idx = 0x0106$/m)
      expect(text.stdout).toMatch(/guest_features = 0x0000000100000044$/m)
      const json = await colo('decode', path, '--state', '--format', 'json')
      const desc = '"name":"vq[0].vring.desc","at":388,"size":8,"value":"0x0000000000fdb000"'
      expect(json.stdout).toContain(desc)
      expect(() => JSON.parse(json.stdout) as unknown).not.toThrow()
      const place = /^(\w+) +vq\[2\]\.last_avail/m.exec(text.stdout)?.[1] ?? ''
      const last = Number.parseInt(place, 16) + 1
      const at = await colo('decode', path, '--at', String(last))
      expect(at.stdout).toContain('vq[2].last_avail_idx = 0x0106')
      writeFileSync(other, bytes.with(last, 7))
      const { stdout } = await colo('decode', path, '--diff', other)
      expect(stdout).toContain('virtio vq[2].last_avail_idx  0x0106 -> 0x0107\n1 fields differ')
    })
  })
})
