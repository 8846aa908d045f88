// `node dist/test/fuzz/minimise.js FORMAT FILE`: writes a finding back as small as it gets, and then runs it.

import { readFileSync, writeFileSync } from 'node:fs'
import { FORMAT_NAMES, isFormat, targetOf } from './formats.ts'
import { smallest } from './smallest.ts'

const [format = '', file = ''] = process.argv.slice(2)
if (!isFormat(format)) throw new Error(`there are ${FORMAT_NAMES.join(', ')}`)
const target = await targetOf(format)
const bytes = smallest(target, new Uint8Array(readFileSync(file)))
writeFileSync(file, bytes)
console.log(`${bytes.length} bytes are left: ${Buffer.from(bytes).toString('hex')}`)
console.log(`nothing is raised: ${target.run(bytes)}`)
