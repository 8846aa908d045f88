// `colo convert` through files and pipes: there and back to the byte, what it says of it, and that nothing is left
// of an output that went wrong.

import {
  closeSync,
  existsSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { watch } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { madeStream } from '../ber/made-stream.ts'
import { colo, inFolder, Running } from './command.ts'

const stream = madeStream('whole')

/** Runs with a file of these bytes, and gives what the output is, if it is there. */
async function converted(bytes: Uint8Array, ...options: string[]) {
  let result = {
    code: 0 as number | null,
    stdout: '',
    stderr: '',
    out: undefined as Buffer | undefined,
  }
  await inFolder(async (folder) => {
    const [file, out] = [join(folder, 'file'), join(folder, 'out')]
    writeFileSync(file, bytes)
    const ended = await colo('convert', ...options, file, out)
    result = { ...ended, out: existsSync(out) ? readFileSync(out) : undefined }
  })
  return result
}

describe('colo convert', () => {
  it.each([[[]], [['--definite']]])(
    'makes BER of a stream (%s), and the same stream again',
    async (options) => {
      const there = await converted(stream, '--to', 'ber', ...options)
      expect(there.code).toBe(0)
      expect(there.out?.subarray(0, 3)).toEqual(Buffer.from([0x7f, 0xd1, 0x46]))
      expect(there.stderr).toContain(
        `${stream.length} bytes of stream into ${there.out?.length} bytes`,
      )
      expect(there.stderr).toContain('devices: 11 bytes, of which 3 (27 %) are oldblob')
      expect(there.stderr).toContain('  slirp (0), 3 bytes: old-style')
      const back = await converted(new Uint8Array(there.out ?? []), '--to', 'binary')
      expect(back.code).toBe(0)
      expect(back.out?.equals(stream)).toBe(true)
    },
  )

  it('tells of the checkpoints of a session, and of where it is cut off', async () => {
    const session = madeStream('colo')
    const there = await converted(session.subarray(0, -50), '--to', 'ber')
    expect(there.code).toBe(0)
    expect(there.stderr.split('\n').slice(1)).toEqual([
      'devices: 11 bytes, of which 3 (27 %) are oldblob',
      '  slirp (0), 3 bytes: old-style: described as one buffer',
      'devices of one checkpoint: 11 bytes, of which 3 (27 %) are oldblob',
      '  slirp (0), 3 bytes: old-style: described as one buffer',
      'behind the stream: 26 bytes, as they were',
      expect.stringMatching(/^the session is cut off: truncated at byte \d+ \(timer\): /),
      '',
    ])
    const back = await converted(new Uint8Array(there.out ?? []), '--to', 'binary')
    expect(back.out?.equals(session.subarray(0, -50))).toBe(true)
    expect(back.stderr).toContain('devices of one checkpoint: 11 bytes')
    const { stdout } = await converted(session, '--to', 'ber', '--format', 'json')
    const { report } = JSON.parse(stdout)
    expect(report.checkpoints).toMatchObject({ count: 2, deviceBytes: 22, blobBytes: 6 })
    expect(report.checkpoints.blobs).toMatchObject([{ section: 'slirp (0)', bytes: 6 }])
  })

  it('says what it did as JSON', async () => {
    const { stdout } = await converted(stream, '--to', 'ber', '--format', 'json')
    expect(JSON.parse(stdout)).toMatchObject({
      to: 'ber',
      definite: false,
      inputBytes: stream.length,
      report: { deviceBytes: 11, blobBytes: 3, diskBytes: 77, trailerBytes: 1000 },
    })
  })

  it('reads standard input and writes standard output', async () => {
    const there = new Running(['convert', '--to', 'ber', '-', '-'], stream)
    expect((await there.ended).code).toBe(0)
    const back = new Running(['convert', '--to', 'binary', '-', '-'], there.bytes)
    expect((await back.ended).code).toBe(0)
    expect(back.bytes.equals(stream)).toBe(true)
  })

  it.each<[string, Uint8Array, string, RegExp]>([
    ['a stream that is cut off', stream.subarray(0, 5000), 'ber', /truncated at byte 5000 \(ram\)/],
    ['no stream', new Uint8Array(100), 'ber', /bad-magic at byte 0/],
    ['no BER', new Uint8Array(100), 'binary', /bad-tag at byte 0/],
    [
      'BER as a stream',
      Uint8Array.of(0x7f, 0xd1, 0x46, 0x80),
      'ber',
      /it is BER .*: colo convert --to binary reads it/,
    ],
    [
      'a stream as BER',
      stream,
      'binary',
      /it is a migration stream of QEMU: colo convert --to ber reads it/,
    ],
    ['an empty file', new Uint8Array(), 'binary', /the end where QemuFile/],
  ])('refuses %s, and leaves no output', async (_, bytes, to, words) => {
    const { code, stderr, out } = await converted(bytes, '--to', to)
    expect(code).toBe(1)
    expect(stderr).toMatch(words)
    expect(out).toBeUndefined()
  })

  it('leaves no output of BER that is cut off late', async () => {
    const { out } = await converted(stream, '--to', 'ber')
    for (const cut of [1, 100, 1500]) {
      const damaged = new Uint8Array(out ?? []).subarray(0, -cut)
      const back = await converted(damaged, '--to', 'binary')
      expect(back).toMatchObject({ code: 1, out: undefined })
      expect(back.stderr).toContain('truncated')
    }
  })

  it.each<[string, string[], RegExp]>([
    ['no --to', [], /required option '--to/],
    ['another --to', ['--to', 'xml'], /Allowed choices are ber, binary/],
    ['a page size that is none', ['--to', 'ber', '--page-size', '5000'], /a power of 2/],
    ['--definite for a stream', ['--to', 'binary', '--definite'], /--definite is for --to ber/],
  ])('refuses %s', async (_, options, words) => {
    const { code, stderr } = await converted(stream, ...options)
    expect(code).toBe(2)
    expect(stderr).toMatch(words)
  })

  it('leaves what was there until there is something whole, and its mode then', async () => {
    await inFolder(async (folder) => {
      const [file, out, link] = ['file', 'out', 'link'].map((name) => join(folder, name))
      writeFileSync(out, 'before', { mode: 0o640 })
      symlinkSync(out, link)
      writeFileSync(file, stream.subarray(0, 5000))
      expect((await colo('convert', '--to', 'ber', file, link)).code).toBe(1)
      expect(readFileSync(out, 'utf8')).toBe('before')
      writeFileSync(file, stream)
      expect((await colo('convert', '--to', 'ber', file, link)).code).toBe(0)
      expect(readFileSync(out)[0]).toBe(0x7f)
      expect(lstatSync(link).isSymbolicLink()).toBe(true)
      expect(statSync(out).mode & 0o777).toBe(0o640)
      expect(readdirSync(folder).toSorted()).toEqual(['file', 'link', 'out'])
    })
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('is ended by %s, and leaves nothing', async (signal) => {
    await inFolder(async (folder) => {
      const [file, out] = [join(folder, 'file'), join(folder, 'out')]
      // So long that it is still at work when the file beside OUT is seen.
      const fd = openSync(file, 'w')
      writeSync(fd, stream)
      ftruncateSync(fd, 4 * 1024 ** 3)
      closeSync(fd)
      const running = new Running(['convert', '--to', 'ber', file, out])
      const changes = watch(folder)[Symbol.asyncIterator]()
      while (readdirSync(folder).length < 2) await changes.next()
      await changes.return?.()
      running.process.kill(signal)
      const { stderr } = await running.ended
      expect(running.process.signalCode).toBe(signal)
      expect(stderr).toBe('')
      expect(readdirSync(folder)).toEqual(['file'])
    })
  })

  it('reads a number for --page-size as colo decode does', async () => {
    const { code } = await converted(stream, '--to', 'ber', '--page-size', '0x1000')
    expect(code).toBe(0)
  })

  it('does not write over what it reads', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'file')
      writeFileSync(file, stream)
      const { code, stderr } = await colo('convert', '--to', 'ber', file, file)
      expect(code).toBe(2)
      expect(stderr).toContain('name another file')
      expect(readFileSync(file).equals(stream)).toBe(true)
    })
  })
})
