// `colo flatten` on streams of our own encoders, through files and pipes.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fixedRecords } from '../../formats/xen/record-encoder.ts'
import { readAll } from '../formats/read-all.ts'
import { checkpointedStream, join as joinBytes } from '../formats/streams.ts'
import { inFolder, inside, Running } from './command.ts'

const recording = joinBytes(checkpointedStream('colo', 3))
const cutShort = joinBytes([recording, fixedRecords.NEW.subarray(0, 8)])

describe('colo flatten', () => {
  it('writes a plain stream and says what it did', async () => {
    await inFolder(async (folder) => {
      const [input, output] = [join(folder, 'in'), join(folder, 'out')]
      writeFileSync(input, cutShort)
      const { code, stderr } = await inside('flatten', input, output)
      expect(stderr).toBe(
        '3 checkpoints; 3 EMULATOR_XENSTORE_DATA records left out; ' +
          '8 bytes behind the last whole checkpoint cut\n',
      )
      expect(code).toBe(0)
      const { outcome } = readAll([readFileSync(output)], { form: 'libxl', checkpointed: 'none' })
      expect(outcome).toBe('complete')
    })
  })

  it('reads standard input and writes standard output', async () => {
    await inFolder(async (folder) => {
      const [input, output] = [join(folder, 'in'), join(folder, 'out')]
      writeFileSync(input, recording)
      await inside('flatten', input, output)
      const running = new Running(['flatten', '-', '-'], recording)
      const { code } = await running.ended
      expect(code).toBe(0)
      expect(running.bytes.equals(readFileSync(output))).toBe(true)
    })
  })

  it.each([
    ['no stream', new Uint8Array(100).fill(7), 'bad-magic'],
    ['no whole checkpoint', recording.subarray(0, 100), 'no whole checkpoint'],
  ])('refuses %s with exit code 1', async (_, bytes, words) => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, 'in'), bytes)
      const { code, stderr } = await inside('flatten', join(folder, 'in'), join(folder, 'out'))
      expect(code).toBe(1)
      expect(stderr).toContain(words)
    })
  })

  it('does not write over what it reads, nor over what was there when it fails', async () => {
    await inFolder(async (folder) => {
      const [input, output] = [join(folder, 'in'), join(folder, 'out')]
      writeFileSync(input, recording)
      const same = await inside('flatten', input, input)
      expect(same.code).toBe(2)
      expect(same.stderr).toContain('name another file')
      expect(readFileSync(input).equals(recording)).toBe(true)
      writeFileSync(output, 'before')
      const damaged = recording.slice()
      damaged.fill(0xff, 16, 24)
      writeFileSync(input, damaged)
      expect((await inside('flatten', input, output)).code).toBe(1)
      expect(readFileSync(output, 'utf8')).toBe('before')
      expect(readdirSync(folder).toSorted()).toEqual(['in', 'out'])
    })
  })
})
