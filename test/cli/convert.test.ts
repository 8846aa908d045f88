// `colo convert` through files and pipes: there and back to the byte, what it says of it, and that nothing is left
// of an output that went wrong.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { madeStream } from '../ber/made-stream.ts'
import { inFolder, inside, Running } from './command.ts'

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
    const ended = await inside('convert', ...options, file, out)
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
      /it is ber already: --to binary\?/,
    ],
    ['a stream as BER', stream, 'binary', /it is binary already: --to ber\?/],
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

  it('does not write over what it reads', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'file')
      writeFileSync(file, stream)
      const { code, stderr } = await inside('convert', '--to', 'ber', file, file)
      expect(code).toBe(2)
      expect(stderr).toContain('name another file')
      expect(readFileSync(file).equals(stream)).toBe(true)
    })
  })
})
