// SPDX-License-Identifier: Apache-2.0
// Data: sets, loaders, readers, text, transforms.
#pragma once

