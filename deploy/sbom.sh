#!/bin/sh
# The software bill of materials of the images (CycloneDX 1.6, JSON): every Python package that the
# recipe installs, at its version, with its licence. The same in all four images and at every run.
# Usage: sh deploy/sbom.sh OUT              makes the tool and the images' environment in build/sbom
#        sh deploy/sbom.sh OUT TOOL PYTHON  with cyclonedx-py and an environment that are there
set -eu
cd "$(dirname "$0")/.."
out=$1 tool=${2:-} python=${3:-}

if [ -z "$tool" ]; then
    folder=build/sbom
    for name in tool image; do
        # As the recipe does: no installer stays in what is looked at.
        .venv/bin/python -m venv --clear --without-pip $folder/$name
    done
    .venv/bin/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" >$folder/requirements.txt
    pip() {
        .venv/bin/python -m pip --disable-pip-version-check --quiet --python "$@"
    }
    pip $folder/tool/bin/python install --requirement tests/deploy/requirements/sbom.txt
    pip $folder/image/bin/python install --only-binary :all: \
        --constraint constraints.txt --requirement $folder/requirements.txt
    tool=$folder/tool/bin/cyclonedx-py python=$folder/image/bin/python
fi

mkdir -p "$(dirname "$out")"
"$tool" environment --spec-version 1.6 --output-format JSON --output-reproducible \
    --mc-type application --pyproject pyproject.toml --output-file "$out" "$python"
echo "$out"
