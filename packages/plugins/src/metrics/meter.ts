/** The part of OpenTelemetry's metrics API that is used: applications without it do not need its types. */

export type Attributes = Readonly<Record<string, string>>

/** An instrument that is read by a callback: only its meter looks into it. */
export type Observable = object

export interface InstrumentOptions {
  readonly unit: string
  readonly description: string
  readonly advice?: { explicitBucketBoundaries: number[] }
}

export interface ObserverResult {
  observe(instrument: never, value: number, attributes: Attributes): void
}

type Callback = (result: ObserverResult) => void

export interface HistogramLike {
  record(value: number, attributes: Attributes): void
}

export interface MeterLike {
  createObservableCounter(name: string, options: InstrumentOptions): Observable
  createObservableUpDownCounter(name: string, options: InstrumentOptions): Observable
  createObservableGauge(name: string, options: InstrumentOptions): Observable
  createHistogram(name: string, options: InstrumentOptions): HistogramLike
  addBatchObservableCallback(callback: Callback, instruments: never[]): void
  removeBatchObservableCallback(callback: Callback, instruments: never[]): void
}

/** A meter provider of OpenTelemetry, of any SDK. */
export interface MeterProviderLike {
  getMeter(name: string): MeterLike
}
