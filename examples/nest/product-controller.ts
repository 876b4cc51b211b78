/** Routes. The limit counts by the address of the client, as Express tells it by its setting `trust proxy`. */

import { LarderRateLimitGuard, RateLimit } from '@larder/nest'
import {
  Controller,
  Get,
  HttpCode,
  Inject,
  NotFoundException,
  Param,
  ParseIntPipe,
  Put,
  Query,
  UseGuards,
} from '@nestjs/common'
import { type Product, ProductRepository } from './product-repository.ts'

@Controller('products')
@UseGuards(LarderRateLimitGuard)
export class ProductController {
  constructor(@Inject(ProductRepository) private readonly products: ProductRepository) {}

  @Get()
  @RateLimit({ limit: 5, per: '1m' })
  search(@Query('like') like = ''): Promise<readonly Product[]> {
    return this.products.search(like)
  }

  @Get(':id')
  async find(@Param('id') id: string): Promise<object> {
    const product = await this.products.find(id)
    if (product === undefined) throw new NotFoundException()
    return { ...product, loads: this.products.loads }
  }

  @Put(':id/price/:price')
  @HttpCode(204)
  setPrice(@Param('id') id: string, @Param('price', ParseIntPipe) price: number): Promise<void> {
    return this.products.setPrice(id, price)
  }
}
