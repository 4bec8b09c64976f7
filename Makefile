# One verb each. Every target works from a clean clone, as root or not, and a second time without
# network. PYTHON=… chooses the interpreter (3.11 or newer); DATA_DIR, PORT, CITY_SCALE, FRESH and
# ONCE are handed on to the demo.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo demo-kafka test bench lint sbom clean ready

VENV := .venv
BIN := $(VENV)/bin

help: ## what can be made
	@printf 'Kuomian 扩面\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile
	@printf '\n  make demo CITY_SCALE=0.05     a twentieth of the city, in seconds\n'
	@printf '  make demo ONCE=1 FRESH=1      load anew, print the figures, stop\n'
	@printf '  make test ARGS="tests/e2e -x" some of the tests\n'

demo: ready ## 载入一座虚构的城市并打开系统 · load a made city, show its figures, serve them (Ctrl-C ends)
	@exec $(BIN)/kuomian demo

demo-kafka: ready ## 同上,按 docker-compose.yml,真实 Kafka(需 Java 17、Maven) · the same as docker-compose.yml runs it, on a real Kafka
	@exec $(BIN)/kuomian demo --on kafka

test: ready ## 全部测试 · all tests
	@sh deploy/debian.sh
	@if [ -n "$(ARGS)" ]; then exec $(BIN)/python -m pytest $(ARGS); else exec $(BIN)/python -m tests.side_by_side; fi

bench: ready ## 测量性能,对照本机极限 · measure speed against what this machine can do (QUICK=1, ONLY=accept)
	@$(BIN)/python -m tests.benchmarks

lint: ready ## 检查格式、类型与依赖规则 · format, types, who may import whom
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy shared services/*/[a-z]*_[a-z]* services/enrollment/enrollment services/reporting/reporting deploy/kuomian
	@$(BIN)/lint-imports

sbom: ready ## 软件物料清单 · the images' bill of materials, build/kuomian.cdx.json
	@sh deploy/sbom.sh build/kuomian.cdx.json

clean: ## 删除虚拟环境、缓存与演示数据 · remove the virtual environment, caches and demo data
	@if [ -x $(BIN)/kuomian ]; then $(BIN)/kuomian forget --yes || true; $(BIN)/kuomian forget --on kafka --yes || true; fi
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The virtual environment, reused as long as what it was made from is the same.
ready:
	@sh deploy/environment.sh "$(PYTHON)"
