// The thread of a conversion.

import { parentPort, workerData } from 'node:worker_threads'
import { runConversion, type ConversionOrder } from './conversion.ts'

parentPort?.postMessage(runConversion(workerData as ConversionOrder))
